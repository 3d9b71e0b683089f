/** What an action would do is shown before it is done, and again when something changes meanwhile. */

/** @import {App, Group, Preview} from "./types.js" */
import { Gone, why } from "./api.js";
import { choice, dialog, leaving, strip, told } from "./dialogs.js";
import { el } from "./dom.js";
import { spoken } from "./noun.js";
import { appears } from "./seen.js";
import { count, counted, ending, listing, titleIn, titleOf } from "./words.js";

/**
 * What follows the groups as long as a dialog is open: what is shown in it is true, also after news.
 * @param {App} app
 * @param {HTMLDialogElement} made
 * @param {(again: boolean, end: () => void) => void} look again: something was changed since it was
 *   shown; end: what can only be closed stays as it is, as who reaches for Close would find another button there
 */
function followed({ store }, made, look) {
  let seen = -1;
  let ended = false;
  const leave = store.on(["state"], ({ state: { version } }) => {
    if (ended || version === seen) return;
    const again = seen !== -1;
    seen = version;
    look(again, () => { ended = true; });
  });
  made.addEventListener("close", leave);
}

const CHANGED = "Something was changed meanwhile: this is how it is now.";

/**
 * Whether groups are to be one, with what is in each.
 * @param {App} app
 * @param {readonly number[]} ids
 */
export function askMerge(app, ids) {
  /** @param {readonly Group[]} groups */
  const parts = (groups) => [
    el("ul", { class: "moves" }, ...groups.map((group) => el("li", {},
      el("p", {}, el("strong", { text: titleOf(group) }), `: ${counted(group.size, "image")}`), strip(app, group.sample)))),
    el("p", { text: spoken`${groups.length === 2 ? "Both" : `All ${count(groups.length)}`} groups end: one group of all their ${count(groups.reduce((sum, { size }) => sum + size, 0))} images takes their place.` }),
  ];
  const present = () => app.store.get().state.groups.filter(({ id }) => ids.includes(id));
  return dialog(`Merge ${listing(present().map(titleOf))}?`, (done, made) => {
    const box = el("div", { class: "preview" });
    followed(app, made, (again, end) => {
      const groups = present();
      if (groups.length === ids.length) return show(box, told(again ? CHANGED : ""), ...parts(groups), choice(() => done(null), "Merge them", () => done(true)));
      end();
      return show(box, el("p", { role: "status", text: "Some of these groups are no more: nothing was merged." }), leaving("Close", () => done(null)));
    });
    return [box];
  }, "wide");
}

/**
 * Show this in a dialog, instead of what was there. The focus went with that: it is on the last button
 * now, as keys reach nothing else. It can be answered once it was seen.
 * @param {HTMLElement} box
 * @param {...(Node | null)} parts
 */
function show(box, ...parts) {
  box.replaceChildren(...parts.filter((part) => part !== null));
  if (!box.isConnected) return; // it opens by itself with the right focus
  /** @type {HTMLElement | null} */ (box.querySelector(".choice > :last-child"))?.focus();
  appears(box);
}

/**
 * What an action would move, before it is done. Where that takes a while, the dialog says so.
 * @param {App} app
 * @param {string} title
 * @param {() => Promise<Preview>} look
 * @param {string} label
 * @returns {Promise<boolean | null>}
 */
export function askPreview(app, title, look, label) {
  return dialog(title, (done, made) => {
    const close = (/** @type {string} */ name) => leaving(name, () => done(null));
    const box = el("div", { class: "preview", role: "status" });
    let last = 0;
    followed(app, made, async (again, end) => {
      const mine = ++last;
      show(box, el("p", { class: "soft", text: spoken`Looking where the images would go…` }), el("progress", { "aria-label": "Looking" }), close("Cancel"));
      try {
        const preview = await look();
        if (mine !== last) return;
        if (preview.count === 0) end();
        show(box, told(again ? CHANGED : ""), ...moved(app, preview), preview.count === 0 ? close("Close") : choice(() => done(null), label, () => done(true)));
      } catch (error) {
        if (mine !== last) return;
        end();
        show(box, el("p", { text: error instanceof Gone ? "The server does not answer: try again when it is back." : why(error) }), close("Close"));
      }
    });
    return [box];
  }, "wide");
}

/** @param {App} app @param {Preview} preview */
function moved(app, { count: n, moves, ends, dissolved = false }) {
  const { state } = app.store.get();
  if (n === 0) return [el("p", { text: state.n_decided || dissolved ? "Nothing would move." : spoken`Nothing would move: no image is decided yet. Move or confirm images, or answer a question.` })];
  const lines = moves.map((move) => el("li", {},
    el("p", {}, el("strong", { text: counted(move.count, "image") }), ` from ${titleIn(state, move.from)} to ${titleIn(state, move.to)}`),
    strip(app, move.sample)));
  return [el("p", { text: `${counted(n, "image")} would move.${dissolved ? spoken` Images that were decided to be here move, too.` : spoken` Decided images stay where they are.`}` }), told(ending(ends.map((id) => titleIn(state, id)))), el("ul", { class: "moves" }, ...lines)];
}
