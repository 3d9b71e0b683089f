/** The question that is shown stays until the person answers it, whatever happens elsewhere. */

/** @import {App, Group, Labels, Model, Question} from "./types.js" */
import { labels } from "./api.js";
import { askAnother, askNext, isAnswering } from "./answer.js";
import { goTo } from "./navigate.js";
import { spoken } from "./noun.js";
import { carried, nAnswered } from "./singles.js";
import { count, counted, listing, titleIn, titleOf } from "./words.js";

/**
 * Ask when there is nothing to answer; keep what is asked when something has changed.
 * @param {App} app
 * @param {(key: string, ask: () => Promise<void>) => Promise<void>} once
 */
export function followQuestion(app, once) {
  const { store } = app;
  /** @type {Map<number, Group>} the last that was known of every group, also of those that are gone */
  const known = new Map();
  store.on(["state"], ({ state }) => { for (const group of state.groups) known.set(group.id, group); });

  let seen = store.get().view;
  store.on(["view", "state", "back", "waiting"], ({ view, state, question, singles, waiting, mine }) => {
    const returned = seen !== view; // nobody looks at the images yet
    seen = view;
    if (view !== "question" || waiting > 0 || isAnswering()) return;
    const { version } = state;
    if (!question?.question) void once(`${version}`, () => askNext(app));
    else if (question.version === version) return;
    else if ((returned || mine === version) && nAnswered(singles) === 0) void askAnother(app);
    else void once(`${version} ${question.question.id}`, async () => keepOn(app, known, await labels(store.get().pile.n)));
  });

  let before = store.get().view;
  store.on(["view"], ({ view, singles }) => {
    const n = nAnswered(singles);
    if (before === "question" && view !== "question" && n > 0) {
      app.say(`${counted(n, "answer")} to the question ${n === 1 ? "is" : "are"} kept, and not sent yet.`, "plain", { label: "Back to the question", run: () => goTo(app, "question") });
    }
    before = view;
  });
}

/** @param {App} app @param {ReadonlyMap<number, Group>} known @param {Labels} now */
function keepOn({ store, say }, known, now) {
  const { question: asked, singles, state } = store.get();
  if (!asked?.question || isAnswering()) return;
  const became = (/** @type {number} */ group) => successor(group, { known, now, state });
  const question = carriedOn(asked.question, became, now);
  const news = told(asked.question, { singles, known, became, now, state });
  if (news.length > 0) say(news.join(" "), "heard");
  store.set({
    question: { ...asked, question, version: now.version, news: news.length > 0 ? news : asked.news },
    singles: singles && carried(singles, became),
  });
}

/**
 * The group that holds all of another one now: itself, or the one it was merged into.
 * @param {number} group
 * @param {{known: ReadonlyMap<number, Group>, now: Labels, state: Pick<Model["state"], "groups">}} as
 * @returns {number | null} null where there is none
 */
export function successor(group, { known, now, state }) {
  const size = (/** @type {number} */ id) => state.groups.find((one) => one.id === id)?.size ?? 0;
  if (group === 0 || size(group) > 0) return group;
  const { sample = [], size: before = 0 } = known.get(group) ?? {};
  const there = new Set(sample.map((row) => now.group[row]));
  const [only = 0] = there;
  return there.size === 1 && only !== 0 && size(only) >= before ? only : null;
}

/**
 * The same question after groups became others. Each group keeps its number.
 * @param {Question} question
 * @param {(group: number) => number | null} became
 * @param {Labels} now
 * @returns {Question}
 */
export function carriedOn(question, became, now) {
  const { rows, candidates, guesses, each } = question;
  /** @type {Map<number, number>} */
  const places = new Map(); // of two groups that became one, the first number leads there
  const placed = (/** @type {number | null} */ group, /** @type {number} */ i) => {
    const to = group === null ? null : became(group);
    if (to === null || (places.get(to) ?? i) !== i) return null;
    places.set(to, i);
    return to;
  };
  const others = each.candidates.map(placed);
  const share = (/** @type {number} */ to) => candidates.reduce((sum, one) => sum + (one && became(one.group) === to ? one.share : 0), 0);
  return {
    ...question, group: most(rows.map((row) => now.group[row])), guesses: guesses.map((one) => (one === null ? null : became(one))),
    candidates: candidates.map((_, i) => { const to = others[i] ?? null; return to === null ? null : { group: to, share: Math.min(1, share(to)) }; }),
    each: { guesses: each.guesses.map((one) => (one === null ? null : became(one))), candidates: others },
  };
}

/** The most common of some numbers. @param {number[]} numbers */
function most(numbers) {
  const times = (/** @type {number} */ one) => numbers.filter((other) => other === one).length;
  return numbers.reduce((best, one) => (times(one) > times(best) ? one : best), numbers[0] ?? 0);
}

/**
 * What changed of a question, in sentences.
 * @param {Question} question as it was
 * @param {{singles: Model["singles"], known: ReadonlyMap<number, Group>, became: (group: number) => number | null, now: Labels, state: Model["state"]}} as
 */
export function told({ rows, group, candidates, each }, { singles, known, became, now, state }) {
  const given = singles?.given ?? [];
  const named = new Set([group, ...candidates.map((one) => one?.group), ...each.candidates, ...given].filter((one) => typeof one === "number"));
  const titles = (/** @type {number} */ one) => { const was = known.get(one); return was ? titleOf(was) : titleIn(state, one); };
  const gone = [...named].filter((one) => one !== 0 && became(one) !== one);
  const said = [...new Set(gone.map(became))].filter((to) => to !== null).map((to) => {
    const parts = gone.filter((one) => became(one) === to).map(titles);
    return parts.length === 1 ? `${parts[0]} is now part of ${titleIn(state, to)}.` : `${listing(parts)} are now one group: ${titleIn(state, to)}.`;
  });
  for (const one of gone.filter((group) => became(group) === null)) {
    const open = given.filter((other) => other === one).length;
    said.push(`${titles(one)} is no more${open > 0 ? `: ${counted(open, "image")} of these ${open === 1 ? "is" : "are"} open again` : ""}.`);
  }
  const decided = rows.filter((row) => now.decided[row]).length;
  if (decided > 0) said.push(decided === rows.length ? `${rows.length === 1 ? spoken`This image was` : spoken`All of these images were`} decided meanwhile: answer again, or skip.` : spoken`${count(decided)} of these images ${decided === 1 ? "was" : "were"} decided meanwhile.`);
  const present = most(rows.map((row) => now.group[row]));
  if (present !== became(group)) said.push(`${rows.length === 1 ? spoken`This image is` : spoken`Most of these images are`} now in ${titleIn(state, present)}.`);
  return said;
}
