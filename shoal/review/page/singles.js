/** Each image of a question by itself: what was answered of it so far. Values in, values out. */

/** @import {Model, Question} from "./types.js" */

/** @typedef {number | "new" | null} Given a group, a new one, or nothing: the image is left open */
/**
 * @typedef {object} Singles
 * @property {number} at the place of the present image
 * @property {Given[]} given where each image belongs: as guessed, or as the person said
 * @property {{at: number, before: Given}[]} said what the person said so far, the last at the end
 * @property {boolean} shown whether each image is asked about now, or all of them at once
 */

/** What stands before the person answers: the guesses, where single images are asked about. @param {Question | null} question @returns {Singles | null} */
export const beginning = (question) => (question && question.guesses.length > 0 ? each(question) : null);

/** The images of any question, each by itself. @param {Question} question @returns {Singles} */
export const each = (question) => ({ at: 0, given: [...question.each.guesses], said: [], shown: true });

/**
 * The present image belongs to a group, or is left open; then the next one is present.
 * @param {Singles} singles
 * @param {Given} group
 * @returns {Singles}
 */
export function answered({ at, given, said, shown }, group) {
  const before = given[at];
  return { at: Math.min(at + 1, given.length - 1), given: given.map((one, i) => (i === at ? group : one)), said: [...said, { at, before }], shown };
}

/** The last answer is taken back, and its image is present. @param {Singles} singles @returns {Singles} */
export function takenBack(singles) {
  const last = singles.said.at(-1);
  if (!last) return singles;
  return { ...singles, at: last.at, given: singles.given.map((one, i) => (i === last.at ? last.before : one)), said: singles.said.slice(0, -1) };
}

/** @param {Singles} singles @param {number} by @returns {Singles} */
export const stepped = (singles, by) => ({ ...singles, at: Math.max(0, Math.min(singles.given.length - 1, singles.at + by)) });

/** The places of the images that the person said something of. @param {Singles | null} singles */
export const saidOf = (singles) => new Set(singles?.said.map(({ at }) => at));

/** Of how many images the person said something. @param {Singles | null} singles */
export const nAnswered = (singles) => saidOf(singles).size;

/** Whether single images are asked about. @param {Pick<Model, "view" | "open" | "singles">} model */
export const areAsked = ({ view, open, singles }) => view === "question" && open === null && singles !== null && singles.shown;

/**
 * The same answers after groups became others. What nobody answered is guessed anew.
 * @param {Singles} singles
 * @param {(group: number) => number | null} became null where the group is no more
 * @param {readonly Given[]} guesses of now
 * @returns {Singles}
 */
export function carried(singles, became, guesses) {
  const answers = saidOf(singles);
  const given = (/** @type {Given} */ one) => (typeof one === "number" ? became(one) : one);
  /** @type {Set<number>} */
  const seen = new Set();
  // Before the first answer to an image there was its guess.
  const said = singles.said.map(({ at, before }) => {
    const first = !seen.has(at);
    seen.add(at);
    return { at, before: first ? (guesses[at] ?? null) : given(before) };
  });
  return { ...singles, given: singles.given.map((one, i) => (answers.has(i) ? given(one) : (guesses[i] ?? null))), said };
}
