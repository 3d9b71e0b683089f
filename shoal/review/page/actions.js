/** What a person does to groups and images, in the words of the server. */

/** @import {App, Act} from "./types.js" */
import { get } from "./api.js";
import { askGroup, askName, askNote, askNumber } from "./dialogs.js";
import { presentGroup, targets, wentTo, wholly } from "./model.js";
import { advance, openGroup } from "./navigate.js";
import { spoken } from "./noun.js";
import { askMerge, askPreview } from "./previews.js";
import { LONG_ENOUGH } from "./seen.js";
import { allOf, count, counted, titleOf } from "./words.js";

let emptied = -LONG_ENOUGH; // when images that something was said of were last selected

/**
 * Say something about the images selected, or the one shown large. They fade until it is saved.
 * @param {App} app
 * @param {(rows: number[]) => Act} how
 */
async function onImages(app, how) {
  const model = app.store.get();
  const rows = targets(model);
  if (rows.length === 0) return app.say(spoken`Select images first.`);
  app.store.set({ leaving: new Set([...model.leaving, ...rows]) });
  const answer = await app.act(how(rows));
  const now = app.store.get();
  const done = new Set(rows);
  app.store.set({ leaving: new Set([...now.leaving].filter((row) => !done.has(row))) });
  if (!answer) return undefined;
  app.store.set({ selected: new Set([...now.selected].filter((row) => !done.has(row))) });
  emptied = performance.now();
  if (model.open !== null && model.open === now.open) advance(app, model, 1);
  return undefined;
}

/** @param {App} app */
export function confirm(app) {
  const model = app.store.get();
  if (targets(model).length > 0) return onImages(app, (rows) => ({ op: "confirm", rows }));
  if (model.group === null || performance.now() - emptied < LONG_ENOUGH) return undefined; // it was meant for the images
  // Nobody confirms what was never shown: the images may be on their way, or the server gone.
  if (model.members?.group !== model.group) return app.say(spoken`The images of this group are not shown yet.`);
  return app.act({ op: "confirm", group: model.group });
}

/** @param {App} app */
export const reject = (app) => onImages(app, (rows) => ({ op: "nowhere", rows }));

/** @param {App} app @param {number} to */
const moveTo = (app, to) => onImages(app, (rows) => ({ op: "move", rows, to }));

/** Move what is selected to the group of a key, or open it. @param {App} app @param {number} key */
export function numberKey(app, key) {
  const model = app.store.get();
  const to = model.slots[key - 1] ?? null;
  if (to === null) return app.say(`No group has the key ${key}.`);
  if (targets(model).length === 0) return openGroup(app, to);
  return moveTo(app, to);
}

/** Which groups end if images go. @param {App} app @param {readonly number[]} rows */
const goneWith = (app, rows) => allOf(wholly(app.store.get(), rows).map(titleOf));

/** @param {App} app */
export async function moveSomewhere(app) {
  const rows = targets(app.store.get());
  const to = await askGroup(app, `Move ${counted(rows.length, "image")} to`, ({ nowhere }) => !nowhere, goneWith(app, rows));
  if (to !== null) await moveTo(app, to);
}

/** @param {App} app */
export async function makeNew(app) {
  const rows = targets(app.store.get());
  const name = await askName(`A new group of ${counted(rows.length, "image")}`, "Make it", goneWith(app, rows));
  if (name !== null) await onImages(app, (rows) => ({ op: "new", rows, ...(name ? { name } : {}) }));
}

/** @param {App} app */
export const keepApart = (app) => onImages(app, (rows) => ({ op: "apart", rows }));

/** @param {App} app */
export async function merge(app) {
  const { picked, group, state } = app.store.get();
  let groups = [...picked];
  if (groups.length < 2) {
    const one = state.groups.find(({ id }) => id === (groups[0] ?? group));
    if (!one) return;
    const other = await askGroup(app, `Merge ${titleOf(one)} with`, ({ id, nowhere }) => id !== one.id && !nowhere);
    if (other === null) return;
    groups = [one.id, other];
  }
  if (!(await askMerge(app, groups))) return;
  const answer = await app.act({ op: "merge", groups });
  if (!answer) return;
  app.store.set({ picked: new Set() });
  openGroup(app, wentTo(answer)[0] ?? null);
}

/** @param {App} app */
export async function split(app) {
  const { members, tab } = app.store.get();
  const group = presentGroup(app.store.get());
  if (!group) return;
  const seen = tab === "parts" && members ? new Set(members.parts).size : 2;
  const parts = await askNumber(`Split ${titleOf(group)}`, spoken`Into how many parts are its ${count(group.size)} images to be split?`, Math.min(9, Math.max(2, seen)));
  if (parts === null) return;
  const answer = await app.act({ op: "split", group: group.id, parts });
  if (answer) openGroup(app, wentTo(answer)[0] ?? null);
}

/** @param {App} app */
export const noteGroup = (app) => writeNote(app, null);

/** @param {App} app @param {string | null} typed what was typed before and not saved */
async function writeNote(app, typed) {
  const group = presentGroup(app.store.get());
  if (!group) return;
  const text = await askNote(`A note on ${titleOf(group)}`, typed ?? group.note ?? "", (dropped) => {
    if (dropped === (group.note ?? "")) return;
    app.say("The note was not saved.", "plain", { label: "Bring it back", run: () => { openGroup(app, group.id); void writeNote(app, dropped); } });
  });
  if (text !== null && text !== (group.note ?? "")) await app.act({ op: "note", group: group.id, text });
}

/** @param {App} app */
export async function dissolve(app) {
  const group = presentGroup(app.store.get());
  if (!group) return;
  const moves = async () => ({ ...(await get(`/api/preview/dissolve/${group.id}`)), dissolved: true });
  if (await askPreview(app, `Dissolve ${titleOf(group)}?`, moves, "Dissolve")) {
    await app.act({ op: "dissolve", group: group.id });
  }
}

/** @param {App} app */
export async function learn(app) {
  if (await askPreview(app, "Learn from what you decided", () => get("/api/preview/learn"), "Move them")) {
    await app.act({ op: "learn" });
  }
}

/** @param {App} app @param {number} at its place among the divisions */
export async function takeDivision(app, at) {
  const division = app.store.get().divisions?.divisions[at];
  if (!division) return;
  const answer = await app.act({ op: "divide", index: division.index }); // of the one that is chosen the server says so
  if (answer) app.store.set({ view: "groups", pane: "list", divisions: null });
}
