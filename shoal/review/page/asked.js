/** The question that is shown stays until the person answers it, whatever happens elsewhere. */

/** @import {Again, App, Group, Labels, Model, Question} from "./types.js" */
import { get, labels } from "./api.js";
import { askAnother, askNext, isAnswering } from "./answer.js";
import { goTo } from "./navigate.js";
import { spoken } from "./noun.js";
import { carried, nAnswered, saidOf } from "./singles.js";
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
    else void once(`${version} ${question.question.id}`, () => keepOn(app, known));
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

/** Ask about the same images anew. @param {App} app @param {ReadonlyMap<number, Group>} known */
async function keepOn({ store, say }, known) {
  const before = store.get().question?.question;
  if (!before) return;
  /** @type {[Labels, Again]} */
  const [now, again] = await Promise.all([labels(store.get().pile.n), get(`/api/question/again?rows=${before.rows}`)]);
  const { question: asked, singles, state } = store.get();
  if (asked?.question?.id !== before.id || isAnswering()) return;
  const became = (/** @type {number} */ group) => successor(group, { known, now, state });
  const question = carriedOn(asked.question, became, again, now.decided);
  const news = told(asked.question, { singles, known, became, now, state });
  if (news.length > 0) say(news.join(" "), "heard");
  store.set({
    // What came of two moments is looked at again when the later one is heard of.
    question: { ...asked, question, version: Math.min(now.version, again.version), news: news.length > 0 ? news : asked.news },
    singles: singles && carried(singles, became, question.each.guesses),
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
 * The same question after groups became others. What is offered keeps its place as long as it exists;
 * where a group is no more, those come that the images may belong to now.
 * @param {Question} question
 * @param {(group: number) => number | null} became
 * @param {Again} again
 * @param {ArrayLike<number>} decided of all images: what was said of one elsewhere is its guess
 * @returns {Question}
 */
export function carriedOn(question, became, again, decided) {
  const { rows, candidates, guesses, each } = question;
  const anew = again.candidates.map(({ group }) => group);
  const offered = filled(candidates.map((one) => one && became(one.group)), anew.slice(0, candidates.length));
  const others = filled([...offered, ...each.candidates.slice(candidates.length).map((one) => one && became(one))], anew);
  const now = each.guesses.map((one, i) => (one === null || decided[rows[i]] ? null : became(one)) ?? again.guesses[i] ?? null);
  const share = (/** @type {number} */ to) => again.candidates.find(({ group }) => group === to)?.share ?? Math.min(1, candidates.reduce((sum, one) => sum + (one && became(one.group) === to ? one.share : 0), 0));
  return {
    ...question, group: again.group, guesses: guesses.length > 0 ? now : [],
    candidates: offered.map((one) => (one === null ? null : { group: one, share: share(one) })), each: { guesses: now, candidates: others },
  };
}

const MOST = 9; // groups that are offered: as many as there are keys

/**
 * Each group once, at its first place; others in the places that are empty, then at the end.
 * @param {(number | null)[]} places
 * @param {readonly number[]} others the likeliest first
 */
function filled(places, others) {
  const made = places.map((one, i) => (places.indexOf(one) === i ? one : null));
  const left = others.filter((one) => !made.includes(one));
  if (!made.includes(null) && made.length >= others.length) return made; // what was offered is all there
  const filled = made.map((one) => one ?? left.shift() ?? null);
  const all = [...filled, ...left.slice(0, Math.max(0, MOST - filled.length))];
  return all.slice(0, all.findLastIndex((one) => one !== null) + 1);
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
  const answers = singles ? [...saidOf(singles)].map((i) => singles.given[i]) : [];
  const named = new Set([group, ...candidates.map((one) => one?.group), ...each.candidates, ...answers].filter((one) => typeof one === "number"));
  const titles = (/** @type {number} */ one) => { const was = known.get(one); return was ? titleOf(was) : titleIn(state, one); };
  const gone = [...named].filter((one) => one !== 0 && became(one) !== one);
  const said = [...new Set(gone.map(became))].filter((to) => to !== null).map((to) => {
    const parts = gone.filter((one) => became(one) === to).map(titles);
    return parts.length === 1 ? `${parts[0]} is now part of ${titleIn(state, to)}.` : `${listing(parts)} are now one group: ${titleIn(state, to)}.`;
  });
  const ended = gone.filter((one) => became(one) === null);
  if (ended.length > 0) said.push(`${listing(ended.map(titles))} ${ended.length === 1 ? "is" : "are"} no more.`);
  const open = answers.filter((one) => typeof one === "number" && ended.includes(one)).length;
  if (open > 0) said.push(spoken`What you said of ${count(open)} of these images fits no more: ${open === 1 ? "it is" : "they are"} open again.`);
  const decided = rows.filter((row) => now.decided[row]).length;
  if (decided > 0) said.push(decided === rows.length ? `${rows.length === 1 ? spoken`This image was` : spoken`All of these images were`} decided meanwhile: answer again, or skip.` : spoken`${count(decided)} of these images ${decided === 1 ? "was" : "were"} decided meanwhile.`);
  const present = most(rows.map((row) => now.group[row]));
  if (present !== became(group)) said.push(`${rows.length === 1 ? spoken`This image is` : spoken`Most of these images are`} now in ${titleIn(state, present)}.`);
  return said;
}
