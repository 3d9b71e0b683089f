/** The keyboard: which key was pressed, and what it does. */

/** @import {App, Model} from "./types.js" */
import { commandFor } from "./commands.js";
import { byId, isTyping } from "./dom.js";
import { isUnseen, shieldUnseen } from "./seen.js";

/**
 * The names a pressed key may go by, the likeliest first: what it types, then, for keyboards with
 * other letters or digits behind Shift, where it lies.
 * @param {{key: string, code: string, shiftKey: boolean, ctrlKey: boolean, metaKey: boolean}} event
 * @returns {string[]}
 */
export function namesOf({ key, code, shiftKey, ctrlKey, metaKey }) {
  const control = ctrlKey || metaKey ? "Ctrl+" : "";
  const letter = key.length === 1 ? key.toLowerCase() : key;
  const shift = shiftKey && letter !== letter.toUpperCase() ? "Shift+" : "";
  const names = [`${control}${shift}${letter}`];
  const place = /^(?:Key([A-Z])|Digit(\d))$/.exec(code);
  if (place && !/^[a-z0-9]$/.test(letter) && !(place[2] && shiftKey)) {
    names.push(`${control}${shiftKey ? "Shift+" : ""}${place[1]?.toLowerCase() ?? place[2]}`);
  }
  return names;
}

/** What a key is about: the image shown large, or the question. @param {Model} model */
const askedAbout = ({ open, view }) => (open !== null ? document.querySelector("dialog.image") : view === "question" ? byId("question-body") : null);

/** What asks more before it answers, or answers nothing, can be done at once: a name that is typed after it is no row of keys. @param {import("./commands.js").Command} command */
const asksFirst = ({ id, room }) => room === "Everywhere" || ["new-group", "other-group", "single-other", "each", "singles-back", "move", "new", "note"].includes(id);

/** @param {App} app */
export function listenToKeys(app) {
  shieldUnseen();
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.altKey || event.isComposing) return;
    const target = /** @type {Element | null} */ (event.target);
    if (document.querySelector("dialog.dialog[open]")) return; // a dialog has keys of its own, wherever the focus is
    if (isTyping(target)) return;
    if (event.key === "Enter" && target?.closest("button, a, summary, input")) return; // it presses them
    const model = app.store.get();
    for (const name of namesOf(event)) {
      const command = commandFor(model, name);
      if (!command) continue;
      event.preventDefault();
      const looks = name.includes("Arrow");
      if (event.repeat ? looks : looks || asksFirst(command) || !isUnseen(askedAbout(model))) void command.run(app, name);
      return;
    }
  });
}
