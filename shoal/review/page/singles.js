/** A question about single images: what was answered of each so far. Values in, values out. */

/** @import {Model, Question} from "./types.js" */

/** @typedef {{at: number, given: (number | null)[]}} Singles `at`: the place of the present image; `given`: the group of each, null where it is left open */

/** What stands before the person answers: the guesses. @param {Question | null} question @returns {Singles | null} */
export const beginning = (question) => (question && question.guesses.length > 0 ? { at: 0, given: [...question.guesses] } : null);

/**
 * The present image belongs to a group, or is left open; then the next one is present.
 * @param {Singles} singles
 * @param {number | null} group
 * @returns {Singles}
 */
export function answered({ at, given }, group) {
  return { at: Math.min(at + 1, given.length - 1), given: given.map((one, i) => (i === at ? group : one)) };
}

/** @param {Singles} singles @param {number} by @returns {Singles} */
export const stepped = ({ at, given }, by) => ({ at: Math.max(0, Math.min(given.length - 1, at + by)), given });

/** Whether single images are asked about. @param {Model} model */
export const areAsked = (model) => model.view === "question" && model.open === null && model.singles !== null;
