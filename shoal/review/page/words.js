/** What the page says: numbers and names in plain words. */

/** @import {Act, Group, State} from "./types.js" */
import { inNoun, spoken } from "./noun.js";

/** @param {number} n */
export const count = (n) => n.toLocaleString("en-US");

/**
 * @param {number} n
 * @param {string} one
 * @param {string} [many]
 */
export const counted = (n, one, many = `${one}s`) => `${count(n)} ${inNoun(n === 1 ? one : many)}`;

/**
 * A share in percent; all and nothing are said only where they are true.
 * @param {number} share
 */
export function percent(share) {
  const rounded = Math.round(share * 100);
  if (rounded === 100 && share < 1) return "99 %";
  if (rounded === 0 && share > 0) return "1 %";
  return `${rounded} %`;
}

/** @param {Pick<Group, "id" | "name" | "nowhere">} group */
export function titleOf(group) {
  return group.name || (group.nowhere ? "Belongs nowhere" : `Group ${group.id}`);
}

/**
 * @param {State} state
 * @param {number} id
 */
export function titleIn(state, id) {
  const group = state.groups.find((one) => one.id === id);
  return group ? titleOf(group) : titleOf({ id, name: null, nowhere: id === 0 });
}

/** @param {readonly string[]} titles */
export const listing = (titles) => (titles.length < 2 ? titles.join("") : `${titles.slice(0, -1).join(", ")} and ${titles.at(-1)}`);

/** What becomes of groups that an action would leave without an image; empty where there is none. @param {readonly string[]} titles */
export function ending(titles) {
  if (titles.length === 0) return "";
  return `${listing(titles)} would end: ${spoken`no image is left in`} ${titles.length === 1 ? "it" : "them"}.`;
}

/** The same, before it is said where the images go. @param {readonly string[]} titles */
export const allOf = (titles) => (titles.length === 0 ? "" : `${spoken`These are all images of`} ${listing(titles)}, which ${titles.length === 1 ? "ends" : "end"} if they go.`);

/** @param {Pick<State, "n_images" | "n_decided" | "expected">} state */
export function progress({ n_images: n, n_decided: decided, expected }) {
  const done = `${count(decided)} of ${count(n)} decided`;
  return decided < n ? `${done}, about ${percent(expected)} sure of the rest` : done;
}

/**
 * How much is still wrong, about: what "sure of the rest" comes to in images, and nothing else.
 * @param {Pick<State, "n_images" | "n_decided" | "expected">} state
 */
export function doubts({ n_images: n, n_decided: decided, expected }) {
  if (decided === n) return spoken`All images are decided.`;
  const wrong = Math.round((1 - expected) * (n - decided));
  return wrong === 0 ? spoken`Of the images that you did not decide, hardly any is in a wrong group.` : spoken`Of the images that you did not decide, about ${count(wrong)} ${wrong === 1 ? "is" : "are"} in a wrong group.`;
}

/**
 * An action in words, for a person who did it some time ago.
 * @param {Act} act
 * @param {State} state
 */
export function described(act, state) {
  const { op, group, groups, rows, to, text, name } = /** @type {any} */ (act);
  const images = Array.isArray(rows) ? counted(rows.length, "image") : "";
  const title = typeof group === "number" ? titleIn(state, group) : "";
  const called = name ? ` “${name}”` : "";
  const simple = { learn: "Learn from what was decided", undo_to: "Go back in the history", divide: "Take another division" };
  switch (op) {
    case "name": return name ? `Name ${title}${called}` : `Take the name of ${title} away`;
    case "merge": return `Merge ${(groups ?? []).map((/** @type {number} */ id) => titleIn(state, id)).join(", ")}`;
    case "split": return `Split ${title}`;
    case "dissolve": return `Dissolve ${title}`;
    case "move": return `Move ${images} to ${titleIn(state, to)}`;
    case "new": return `Make a new group${called} of ${images}`;
    case "confirm": return `Confirm ${images || title}`;
    case "nowhere": return `Set ${images} aside`;
    case "apart": return `Keep ${images} apart`;
    case "undo": return state.undo ? `Undo: ${state.undo}` : "Undo";
    case "redo": return state.redo ? `Do again: ${state.redo}` : "Do again";
    case "answer": return `${answered(rows, to, state)}${called}`;
    case "note": return `Note on ${title || spoken`an image`}: ${text || "taken away"}`;
    default: return simple[/** @type {keyof typeof simple} */ (op)] ?? op;
  }
}

/** An answer to a question, in words. @param {unknown} rows @param {unknown} to @param {State} state */
function answered(rows, to, state) {
  const n = Array.isArray(rows) ? rows.length : 0;
  const images = n > 0 ? counted(n, "image") : spoken`The images of a question`;
  const [belong, are] = n === 1 ? ["belongs", "is right where it is"] : ["belong", "are right where they are"];
  if (Array.isArray(to)) {
    const where = (/** @type {unknown} */ one) => (one === null ? "left open" : one === "new" ? "to a new group" : one === 0 ? "nowhere" : `to ${titleIn(state, Number(one))}`);
    const words = to.map(where);
    return `${images}, each by itself: ${[...new Set(words)].map((one) => `${count(words.filter((other) => other === one).length)} ${one}`).join(", ")}`;
  }
  if (typeof to === "number" && to !== 0) return `${images} ${belong} to ${titleIn(state, to)}`;
  const said = { new: `${images} ${belong} to a new group`, confirm: `${images} ${are}`, skip: `Skip a question about ${images}`, mixed: `Ask about smaller parts of ${images}` };
  return said[/** @type {keyof typeof said} */ (to)] ?? `${images} ${belong} nowhere`;
}

/** @param {number} waiting how many actions wait @param {"here" | "gone" | "refused"} server @param {string} [full] why the server cannot write */
export function savedText(waiting, server, full = "") {
  if (waiting === 0) return server === "here" ? "Saved" : "No server";
  return server === "here" && full === "" ? "Saving…" : `${counted(waiting, "action")} not saved`;
}

/**
 * How clear a division is, and whether it may be about colour, light or layout only.
 * @param {number | null} separation from 0 to 1
 * @param {number | null} pixels share of it that thumbnails of 8 × 8 pixels explain
 */
export function clearness(separation, pixels) {
  const apart = separation === null ? "" : separation >= 0.85 ? "Clearly apart." : separation >= 0.7 ? "Somewhat apart." : "Hardly apart: mere noise shows such gaps, too.";
  const light = pixels === null ? "" : pixels < 0.15 ? "Blurred thumbnails hardly explain it: it is not about colour and light."
    : pixels < 0.5 ? "Blurred thumbnails explain some of it: colour, light or layout." : "Blurred thumbnails explain most of it: colour, light or layout.";
  return `${apart} ${light}`.trim();
}

/**
 * How long ago, or the time of day.
 * @param {string} time ISO 8601
 */
export function clock(time) {
  const date = new Date(time);
  return Number.isNaN(date.valueOf())
    ? time
    : date.toLocaleString("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit" });
}
