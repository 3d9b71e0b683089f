/** The keyboard: which key was pressed, and what it does. */

/** @import {App} from "./types.js" */
import { commandFor } from "./commands.js";
import { isTyping } from "./dom.js";

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

/** @param {App} app */
export function listenToKeys(app) {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.altKey || event.isComposing) return;
    const target = /** @type {Element | null} */ (event.target);
    if (target?.closest("dialog.dialog")) return; // a dialog has keys of its own
    if (isTyping(target)) return;
    if (event.key === "Enter" && target?.closest("button, a, summary, input")) return; // it presses them
    const model = app.store.get();
    for (const name of namesOf(event)) {
      const command = commandFor(model, name);
      if (!command) continue;
      event.preventDefault();
      if (!event.repeat || name.includes("Arrow")) void command.run(app, name);
      return;
    }
  });
}
