/** What the page remembers, and how news of the server change it. Values in, values out. */

/** @import {Answer, Group, Model, Pile, State, View} from "./types.js" */
import { dealt, kept, listed, slots } from "./selection.js";

/** @param {Pile} pile @param {State} state @returns {Model} */
export function opening(pile, state) {
  const keys = dealt([], state.groups);
  return {
    pile, state, slots: keys,
    view: state.divided ? "groups" : "divisions", tab: "images", pane: "list",
    group: listed(keys, state.groups)[0]?.id ?? null,
    picked: new Set(), order: "typical", like: null, members: null, loading: false, failed: {}, labels: null,
    selected: new Set(), cursor: 0, leaving: new Set(), open: null,
    question: null, singles: null, divisions: null, server: "here", back: 0, mine: 0, full: "", waiting: 0, history: false, tile: 112,
  };
}

/**
 * What changes when the server says how things are.
 * @param {Model} model
 * @param {State} state
 * @param {readonly number[]} [to] the groups that an action of this page put images into
 * @returns {Partial<Model>}
 */
export function received(model, state, to = []) {
  const known = model.state;
  if (state.version < known.version) return {};
  if (state.version === known.version && known.estimated && !state.estimated) return {}; // it was overtaken
  const keys = slots(model.slots, state.groups);
  const ids = state.groups.map((group) => group.id);
  const gone = model.group === null || !ids.includes(model.group);
  // Who merged or split the open group goes on with what became of it, and sees no other one in between.
  const became = to.find((id) => ids.includes(id)) ?? listed(keys, state.groups)[0]?.id ?? null;
  const group = gone ? became : model.group;
  /** @type {Partial<Model>} */
  const patch = { state, slots: keys, group, picked: kept(model.picked, ids) };
  if (gone) patch.cursor = 0;
  return patch;
}

/** The open group. @param {Model} model @returns {Group | null} */
export const presentGroup = ({ state, group }) => state.groups.find(({ id }) => id === group) ?? null;

/**
 * The images an action is about: the one shown large, or those selected.
 * @param {Model} model
 * @returns {number[]}
 */
export const targets = ({ open, selected }) => (open === null ? [...selected] : [open]);

/**
 * The groups all of whose images are among some: without these nothing is left of them.
 * @param {Pick<Model, "state" | "labels" | "members">} model
 * @param {readonly number[]} rows
 * @returns {Group[]}
 */
export function wholly({ state, labels, members }, rows) {
  const own = new Set(members?.rows);
  /** @type {Map<number, number>} */
  const held = new Map();
  for (const row of rows) {
    const group = labels?.version === state.version ? labels.group[row] : own.has(row) ? members?.group : undefined;
    if (group !== undefined) held.set(group, (held.get(group) ?? 0) + 1);
  }
  return state.groups.filter(({ id, size, nowhere }) => !nowhere && held.get(id) === size);
}

/**
 * The groups that images went to.
 * @param {Answer | null} answer
 * @returns {number[]}
 */
export function wentTo(answer) {
  const to = answer?.entry?.to ?? [];
  return Array.isArray(to) ? to : Object.keys(to).map(Number);
}

/**
 * The view that an address names.
 * @param {string} hash
 * @returns {{view: View, group?: number} | null}
 */
export function addressed(hash) {
  if (hash === "#divisions" || hash === "#question") {
    return { view: hash === "#question" ? "question" : "divisions" };
  }
  const match = /^#group\/(\d+)$/.exec(hash);
  return match ? { view: "groups", group: Number(match[1]) } : null;
}

/** @param {Pick<Model, "view" | "group">} model */
export const address = ({ view, group }) => (view === "groups" ? `#group/${group ?? ""}` : `#${view}`);
