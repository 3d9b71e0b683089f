/** The keyboard: which key was pressed, and what it does. */

/** @import {App, Model} from "./types.js" */
import { commandFor } from "./commands.js";
import { byId, isTyping } from "./dom.js";
import { targets } from "./model.js";
import { spoken } from "./noun.js";
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

/** Whether a narrow window shows the list of groups alone. @param {Model} model */
const listAlone = ({ view, open }) => view === "groups" && open === null && document.querySelector(".members-pane")?.getClientRects().length === 0;

/**
 * Do what a key means. Where the list is alone, a key about the open group shows it first; what would be said of images nobody
 * sees is said by pressing it again.
 * @param {App} app
 * @param {import("./commands.js").Command} command
 * @param {string} name
 */
function obey(app, command, name) {
  const model = app.store.get();
  const { room, id } = command;
  if (!["Groups", "Images"].includes(room) || id === "merge" || !listAlone(model)) return void command.run(app, name);
  app.store.set({ pane: "members" });
  if (room === "Images" && (targets(model).length > 0 || id === "confirm")) return app.say(spoken`The key is about these images: press it again.`);
  return queueMicrotask(() => void command.run(app, name)); // the field of the name takes the focus once it is there
}

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
      if (event.repeat ? looks : looks || asksFirst(command) || !isUnseen(askedAbout(model))) obey(app, command, name);
      return;
    }
  });
}
