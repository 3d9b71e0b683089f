/** A question about single images: what was answered of each so far. Values in, values out. */

/** @import {Model, Question} from "./types.js" */

/** @typedef {number | "new" | null} Given a group, a new one, or nothing: the image is left open */
/** @typedef {{at: number, given: Given[]}} Singles `at`: the place of the present image; `given`: what was answered of each */

/** What stands before the person answers: the guesses, where single images are asked about. @param {Question | null} question @returns {Singles | null} */
export const beginning = (question) => (question && question.guesses.length > 0 ? each(question) : null);

/** The images of any question, each by itself. @param {Question} question @returns {Singles} */
export const each = (question) => ({ at: 0, given: [...question.each.guesses] });

/**
 * The present image belongs to a group, or is left open; then the next one is present.
 * @param {Singles} singles
 * @param {Given} group
 * @returns {Singles}
 */
export function answered({ at, given }, group) {
  return { at: Math.min(at + 1, given.length - 1), given: given.map((one, i) => (i === at ? group : one)) };
}

/** @param {Singles} singles @param {number} by @returns {Singles} */
export const stepped = ({ at, given }, by) => ({ at: Math.max(0, Math.min(given.length - 1, at + by)), given });

/** Whether single images are asked about. @param {Model} model */
export const areAsked = (model) => model.view === "question" && model.open === null && model.singles !== null;
