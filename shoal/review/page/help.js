/** All keys. */

/** @import {Command} from "./commands.js" */
import { dialog } from "./dialogs.js";
import { button, el } from "./dom.js";
import { inNoun } from "./noun.js";

const MORE = {
  Images: [
    ["Arrow keys", "Select the image beside; with Shift, extend the selection"],
    ["Space", "Select the focused image as well, or no longer"],
    ["Click", "Select an image; with Ctrl, as well; with Shift, all up to it; drag, all within"],
    ["Tap, hold", "Select an image as well; show it large"],
  ],
  Groups: [["Space", "Tick the focused group of the list, to merge it with others"]],
};

/** @param {readonly Command[]} commands */
export function showHelp(commands) {
  return dialog("Keys", (done) => {
    const rooms = [...new Set(commands.map(({ room }) => room))];
    const parts = rooms.map((room) => {
      const lines = commands.filter((one) => one.room === room).map(({ keys, help }) => [short(keys), help]);
      const more = /** @type {Record<string, string[][]>} */ (MORE)[room] ?? [];
      return el("section", {}, el("h3", { text: inNoun(room) }), el("dl", {}, ...[...lines, ...more].map(([keys, help]) =>
        el("div", {}, el("dt", {}, ...keys.split(" or ").map((key) => el("kbd", { text: key }))), el("dd", { text: inNoun(help) })))));
    });
    return [el("div", { class: "help", tabindex: "0" }, ...parts), el("div", { class: "choice" }, button("Close", () => done(null), { key: "Esc" }))];
  }, "wide");
}

/** How a key is written on a button. @param {string} key */
export function written(key) {
  const names = { Escape: "Esc", ArrowLeft: "←", ArrowRight: "→", "Shift+u": "U", "Shift+n": "N" };
  return /** @type {Record<string, string>} */ (names)[key] ?? key.replace(/\+([a-z])$/, (_, letter) => `+${letter.toUpperCase()}`);
}

/** @param {string[]} keys */
function short(keys) {
  const digits = keys.filter((key) => /^\d$/.test(key));
  if (digits.length === 0) return keys.map(written).join(" or ");
  return `${digits[0]}–${digits.at(-1)}${digits.length < keys.length ? " or letter" : ""}`;
}
