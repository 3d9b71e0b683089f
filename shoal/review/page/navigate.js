/** Where a person looks: views, groups, orders, and what is selected there. */

/** @import {App, Model, Tab, View} from "./types.js" */
import { spoken } from "./noun.js";
import { listed } from "./selection.js";

/** @param {App} app @param {View} view */
export const goTo = (app, view) => app.store.set({ view, open: null });

/** @param {App} app @param {number | null} group */
export function openGroup(app, group) {
  if (group === null) return;
  const same = app.store.get().group === group;
  app.store.set({ view: "groups", group, pane: "members", open: null, ...(same ? {} : { selected: new Set(), cursor: 0, like: null }) });
  if (app.store.get().order === "like") app.store.set({ order: "typical" });
}

/** @param {App} app @param {1 | -1} by */
export function neighbourGroup(app, by) {
  const { state, slots, group } = app.store.get();
  const groups = listed(slots, state.groups);
  const at = groups.findIndex(({ id }) => id === group);
  openGroup(app, groups[(at + by + groups.length) % groups.length]?.id ?? null);
}

/** @param {App} app @param {Tab} tab */
export const showTab = (app, tab) => app.store.set({ tab, cursor: 0 });

/**
 * From the image shown large to another one of the group, as it was in `model`.
 * @param {App} app
 * @param {Model} model
 * @param {number} by
 */
export function advance(app, model, by) {
  const rows = model.members?.rows ?? [];
  const at = model.open === null ? -1 : rows.indexOf(model.open);
  const next = rows[at + by];
  if (next !== undefined) app.store.set({ open: next, cursor: at + by });
}

const ORDERS = ["typical", "doubtful", "like"];

/** @param {App} app @param {string} order */
export function orderBy(app, order) {
  const { selected, open, cursor, members } = app.store.get();
  const like = open ?? [...selected].at(-1) ?? members?.rows[cursor] ?? null;
  if (order === "like" && like === null) return app.say(spoken`Select an image first.`);
  return app.store.set({ order, like: order === "like" ? like : null, tab: "images", cursor: 0 });
}

/** @param {App} app */
export function nextOrder(app) {
  const { order } = app.store.get();
  return orderBy(app, ORDERS[(ORDERS.indexOf(order) + 1) % ORDERS.length]);
}

/** Select the part that the focused image is in. @param {App} app */
export function wholePart(app) {
  const { members, cursor } = app.store.get();
  if (members?.order !== "part") return;
  const part = members.parts[cursor];
  app.store.set({ selected: new Set(members.rows.filter((_, i) => members.parts[i] === part)) });
}

/** @param {App} app */
export function selectAll(app) {
  app.store.set({ selected: new Set(app.store.get().members?.rows ?? []) });
}

/** Back: the large image is closed, then nothing is selected, then the groups are shown. From single images: see `singles-back`. @param {App} app */
export function back(app) {
  const { open, selected, picked, history, view } = app.store.get();
  if (open !== null) app.store.set({ open: null });
  else if (history) app.store.set({ history: false });
  else if (view !== "groups") goTo(app, "groups");
  else if (selected.size > 0) app.store.set({ selected: new Set() });
  else if (picked.size > 0) app.store.set({ picked: new Set() });
  else app.store.set({ pane: "list" });
}

/** Show the image at this place among the members large. @param {App} app @param {number} index */
export function openImage(app, index) {
  const row = app.store.get().members?.rows[index];
  if (row !== undefined) app.store.set({ open: row, cursor: index });
}

/** Show the focused or the first selected image large. @param {App} app */
export function lookCloser(app) {
  const { members, cursor, selected } = app.store.get();
  const rows = members?.rows ?? [];
  const row = selected.size > 0 && !selected.has(rows[cursor]) ? [...selected][0] : rows[cursor];
  if (row !== undefined) app.store.set({ open: row, cursor: Math.max(0, rows.indexOf(row)) });
}
