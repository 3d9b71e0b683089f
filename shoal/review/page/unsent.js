/** What an earlier page could not save is shown in words, to be saved now or thrown away. */

/** @import {App} from "./types.js" */
/** @import {Named} from "./kept.js" */
import { Refused, why } from "./api.js";
import { askGroup } from "./dialogs.js";
import { button, byId, el } from "./dom.js";
import { brought } from "./kept.js";
import { counted, described } from "./words.js";

/** @typedef {{act: Named, reason: string}} Unsaved an action that the server refused, and why */

/** @param {App} app */
export async function offerUnsent(app) {
  const { kept, store } = app;
  const given = brought(location.hash, store.get().pile.identity);
  if (location.hash.startsWith("#unsent=")) history.replaceState(null, "", location.pathname);
  kept.take(given);
  const acts = await kept.left();
  const box = byId("unsent");
  box.hidden = acts.length === 0;
  if (acts.length === 0) return;
  const lines = acts.map((act) => el("li", { text: inWords(app, act) }));
  show(box, `${counted(acts.length, "action")} could not be saved before the server stopped:`, lines,
    button("Throw away", () => { acts.forEach(kept.done); close(box); }), button("Save now", () => void save(app, box, acts), { class: "main" }));
}

/** As it was called when it was said: its groups may be gone. @param {App} app @param {Named} act */
const inWords = (app, act) => act.words ?? described(act, app.store.get().state);

/** @param {App} app @param {HTMLElement} box @param {Named[]} acts */
async function save(app, box, acts) {
  show(box, `Saving ${counted(acts.length, "action")}…`, []);
  /** @type {Unsaved[]} */
  const refused = [];
  for (const act of acts) {
    try {
      if (["undo", "redo"].includes(act.op) && inWords(app, act) !== described(act, app.store.get().state)) throw new Refused(400, "Something else was done last meanwhile.");
      await app.send(act);
    } catch (error) {
      app.kept.take([act]); // until the person throws it away
      refused.push({ act, reason: why(error) });
    }
  }
  offerRefused(app, box, refused);
}

/** @param {App} app @param {HTMLElement} box @param {Unsaved[]} refused */
function offerRefused(app, box, refused) {
  if (refused.length === 0) return close(box);
  const without = (/** @type {Unsaved} */ one) => refused.filter((other) => other !== one);
  const lines = refused.map((one) => {
    const to = hasNoPlace(app, one.act) ? button("Choose a group…", async () => { if (await place(app, one.act)) offerRefused(app, box, without(one)); }) : null;
    return el("li", {}, el("span", { text: `${inWords(app, one.act).replace(/\.$/, "")}. ${one.reason}` }), to);
  });
  return show(box, refused.length === 1 ? "One action does not fit what was done meanwhile, and is not saved:" : `${counted(refused.length, "action")} do not fit what was done meanwhile, and are not saved:`, lines,
    button(refused.length === 1 ? "Throw it away" : "Throw them away", () => { for (const { act } of refused) app.kept.done(act); close(box); }));
}

/** Whether images were to go to a group that is no more. @param {App} app @param {Named} act */
const hasNoPlace = (app, act) => ["move", "answer"].includes(act.op) && Array.isArray(act.rows) && goneFrom(app, act).length > 0;

/** The images whose group is no more. @param {App} app @param {Named} act @returns {number[]} */
function goneFrom(app, { rows, to }) {
  const { groups } = app.store.get().state;
  const gone = (/** @type {unknown} */ id) => typeof id === "number" && id !== 0 && !groups.some((group) => group.id === id);
  return /** @type {number[]} */ (rows).filter((_, i) => gone(Array.isArray(to) ? to[i] : to));
}

/** Save an action with another group for the images whose own is no more. @param {App} app @param {Named} act */
async function place(app, act) {
  const rows = goneFrom(app, act);
  const group = await askGroup(app, `Where do these ${counted(rows.length, "image")} belong?`, ({ nowhere }) => !nowhere);
  if (group === null) return false;
  const { op, to, question, rows: all } = /** @type {any} */ (act);
  const anew = Array.isArray(to) ? { op, question, rows: all, to: to.map((one, i) => (rows.includes(all[i]) ? group : one)) } : { op: "move", rows, to: group };
  if (!(await app.act(anew))) return false;
  app.kept.done(act);
  return true;
}

/** @param {HTMLElement} box @param {string} heading @param {HTMLElement[]} lines @param {...HTMLElement} buttons */
function show(box, heading, lines, ...buttons) {
  box.replaceChildren(el("p", { text: heading }), el("ul", {}, ...lines), el("div", { class: "choice" }, ...buttons));
}

/** @param {HTMLElement} box */
function close(box) {
  box.hidden = true;
  byId("main").focus({ preventScroll: true });
}
