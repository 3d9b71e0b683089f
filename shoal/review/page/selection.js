/** Which images are selected, and which keys lead to which groups. Values in, values out. */

/** @import {Group} from "./types.js" */

/**
 * @param {ReadonlySet<number>} set
 * @param {number} item
 */
export function toggled(set, item) {
  const next = new Set(set);
  if (!next.delete(item)) next.add(item);
  return next;
}

/**
 * What lies between two places, both ends included.
 * @param {readonly number[]} rows
 * @param {number} from
 * @param {number} to
 */
export function between(rows, from, to) {
  return rows.slice(Math.min(from, to), Math.max(from, to) + 1);
}

/**
 * Those that are still there.
 * @param {ReadonlySet<number>} set
 * @param {Iterable<number>} there
 */
export function kept(set, there) {
  const next = new Set();
  if (set.size > 0) for (const item of there) if (set.has(item)) next.add(item);
  return next;
}

const KEYS = 9;

/**
 * Which group has which of the keys 1 to 9. A group keeps its key as long as it exists: fingers
 * remember. “Group 3” has the key 3, and a group of a higher number the first free key.
 * @param {readonly (number | null)[]} before
 * @param {readonly Pick<Group, "id" | "nowhere" | "size">[]} groups
 * @returns {(number | null)[]}
 */
export function slots(before, groups) {
  const there = groups.filter((group) => !group.nowhere);
  const ids = new Set(there.map((group) => group.id));
  const next = Array.from({ length: KEYS }, (_, i) => {
    const id = before[i] ?? null;
    return id !== null && ids.has(id) ? id : null;
  });
  for (const { id } of there) if (id <= KEYS && !next.includes(id)) next[id - 1] ??= id;
  const others = there.filter((group) => !next.includes(group.id));
  others.sort((a, b) => b.size - a.size || a.id - b.id);
  for (let i = 0; i < KEYS && others.length > 0; i++) {
    next[i] ??= others.shift()?.id ?? null;
  }
  return next;
}

/**
 * The keys dealt anew, as the page opens and after learning: where there are more groups than keys, those with a name
 * have them, then the largest. Each of these keeps the one it has; what is left of a group makes room.
 * @param {readonly (number | null)[]} before
 * @param {readonly Pick<Group, "id" | "nowhere" | "size" | "name">[]} groups
 */
export function dealt(before, groups) {
  const there = groups.filter((group) => !group.nowhere);
  there.sort((a, b) => Number(a.name === null) - Number(b.name === null) || b.size - a.size || a.id - b.id);
  return slots(before, there.slice(0, KEYS));
}

const LETTERS = "adfgjkopr"; // that mean nothing else in a question

/**
 * The keys of the groups that a question offers: the same as in the list, where they have one; else a letter.
 * @param {readonly (number | null)[]} slots
 * @param {readonly (number | null)[]} offered null: a group that is no more
 */
export const keysOf = (slots, offered) => offered.map((id, i) => (id === null ? "" : slots.includes(id) ? String(slots.indexOf(id) + 1) : (LETTERS[i] ?? "")));

/** All keys that a group may have in a question. */
export const GROUP_KEYS = [..."123456789", ...LETTERS];

/**
 * The groups as the list shows them: those with a key by their numbers, then the others by size, those that belong nowhere last.
 * @template {Pick<Group, "id" | "nowhere" | "size">} G
 * @param {readonly (number | null)[]} keys
 * @param {readonly G[]} groups
 * @returns {G[]}
 */
export function listed(keys, groups) {
  /** @param {G} group */
  const rank = (group) => (group.nowhere ? 2 : keys.includes(group.id) ? 0 : 1);
  return [...groups].sort((a, b) => rank(a) - rank(b) || (rank(a) === 0 ? a.id - b.id : b.size - a.size || a.id - b.id));
}
