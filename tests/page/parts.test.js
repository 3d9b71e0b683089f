/** The parts of the page that do things, with a server made up: queue, sheets, store, keys, commands. */

import assert from "node:assert/strict";
import test from "node:test";
import { confirm } from "../../shoal/review/page/actions.js";
import { Full, Gone, Refused } from "../../shoal/review/page/api.js";
import { BAR, COMMANDS, commandFor, commandOf } from "../../shoal/review/page/commands.js";
import { namesOf } from "../../shoal/review/page/keys.js";
import { opening } from "../../shoal/review/page/model.js";
import { carriedOn, successor, told } from "../../shoal/review/page/asked.js";
import { createQueue } from "../../shoal/review/page/queue.js";
import { answered, beginning, carried, each, nAnswered, stepped, takenBack } from "../../shoal/review/page/singles.js";
import { createSheets } from "../../shoal/review/page/sheets.js";
import { createStore } from "../../shoal/review/page/store.js";

const later = () => new Promise((resolve) => setTimeout(resolve, 1));

test("changes are told once, to those who look at them", async () => {
  const store = createStore({ a: 1, b: 1 });
  const seen = [];
  store.on(["a"], ({ a, b }) => seen.push([a, b]));
  store.set({ a: 2 });
  store.set({ b: 2, a: 3 });
  assert.deepEqual(store.get(), { a: 3, b: 2 });
  await later();
  store.set({ b: 4 });
  store.set({ a: 3 });
  await later();
  assert.deepEqual(seen, [[1, 1], [3, 2]]);
});

/** A queue over a server that answers by a script. */
function queueOver(script) {
  const log = { sent: [], counts: [], gone: 0, back: [] };
  let n = 0;
  const queue = createQueue({
    async post(act) {
      log.sent.push([act.op, act.act]);
      const next = script.shift();
      if (next instanceof Error) throw next;
      return next ?? { says: act.op };
    },
    onCount: (waiting) => log.counts.push(waiting),
    onGone: () => (log.gone += 1),
    untilBack: () => new Promise((resolve) => log.back.push(resolve)),
    token: () => `t${++n}`,
  });
  return { queue, log };
}

test("actions go in order, and an error of one stops no other", async () => {
  const { queue, log } = queueOver([undefined, new Refused(400, "No."), undefined]);
  const answers = await Promise.allSettled(["a", "b", "c"].map((op) => queue.send({ op })));
  assert.deepEqual(answers.map(({ status }) => status), ["fulfilled", "rejected", "fulfilled"]);
  assert.equal(answers[1].reason.message, "No.");
  assert.deepEqual(log.sent, [["a", "t1"], ["b", "t2"], ["c", "t3"]]);
  assert.deepEqual(log.counts, [1, 2, 3, 2, 1, 0]);
});

test("while the disk is full an action waits, and what the server says is shown until there is room", async () => {
  const script = [new Full("The disk is full."), new Full("The disk is full."), { says: "a" }];
  const said = [];
  let waited = 0;
  const queue = createQueue({
    async post() {
      const next = script.shift();
      if (next instanceof Error) throw next;
      return next;
    },
    onCount: () => {}, onGone: () => assert.fail("it is there"), untilBack: async () => {}, onFull: (why) => said.push(why), untilRoom: async () => { waited += 1; },
  });
  assert.equal((await queue.send({ op: "a" })).says, "a");
  assert.deepEqual([waited, said], [2, ["The disk is full.", "The disk is full.", ""]]);
});

test("while the server is gone an action waits, and comes again under the same name", async () => {
  const { queue, log } = queueOver([new Gone("gone"), new Gone("still"), undefined, undefined]);
  const both = Promise.all([queue.send({ op: "a" }), queue.send({ op: "b" })]);
  await later();
  assert.deepEqual(log.sent, [["a", "t1"]]);
  log.back.shift()();
  await later();
  assert.equal(log.gone, 2);
  log.back.shift()();
  assert.deepEqual((await both).map(({ says }) => says), ["a", "b"]);
  assert.deepEqual(log.sent, [["a", "t1"], ["a", "t1"], ["a", "t1"], ["b", "t2"]]);
});

/** As much of an element as thumbnails need. */
function element() {
  const classes = new Set();
  return { dataset: {}, style: {}, classList: { add: (name) => classes.add(name), remove: (name) => classes.delete(name), contains: (name) => classes.has(name) } };
}

test("each thumbnail is asked for once, together with others, and again if it did not come", async () => {
  const asked = [];
  let broken = false;
  const load = async (url) => {
    asked.push(url);
    if (broken) throw new Error("gone");
    return {};
  };
  const sheets = createSheets({ columns: 2 }, { load, soon: (run) => setTimeout(run, 0) });
  const [a, b, c, d] = [element(), element(), element(), element()];
  sheets.show(a, 7);
  sheets.show(b, 9);
  sheets.show(c, 8);
  await later();
  assert.deepEqual(asked, ["/sheet.webp?rows=7,9,8"]);
  assert.deepEqual([a, b, c].map(({ style }) => [style.backgroundSize, style.backgroundPosition]), [["200% 200%", "0% 0%"], ["200% 200%", "100% 0%"], ["200% 200%", "0% 100%"]]);
  sheets.show(a, 8); // another image, known already
  assert.equal(a.style.backgroundPosition, "0% 100%");
  broken = true;
  sheets.show(d, 1);
  await later();
  assert.ok(d.classList.contains("waiting"));
  broken = false;
  sheets.retry();
  await later();
  assert.deepEqual(asked.slice(1), ["/sheet.webp?rows=1", "/sheet.webp?rows=1"]);
  sheets.show(d, 2);
  sheets.forget(d); // scrolled away before it was asked for
  await later();
  assert.equal(asked.length, 3);
});

const event = (key, code = "", more = {}) => ({ key, code, shiftKey: false, ctrlKey: false, metaKey: false, ...more });

test("keys by what they type, else by where they lie", () => {
  assert.deepEqual(namesOf(event("m", "KeyM")), ["m"]);
  assert.deepEqual(namesOf(event("U", "KeyU", { shiftKey: true })), ["Shift+u"]);
  assert.deepEqual(namesOf(event("z", "KeyZ", { metaKey: true })), ["Ctrl+z"]);
  assert.deepEqual(namesOf(event("Z", "KeyZ", { ctrlKey: true, shiftKey: true })), ["Ctrl+Shift+z"]);
  assert.deepEqual(namesOf(event("ь", "KeyM")), ["ь", "m"]); // Russian
  assert.deepEqual(namesOf(event("&", "Digit1")), ["&", "1"]); // French: digits behind Shift
  assert.deepEqual(namesOf(event("1", "Digit1", { shiftKey: true })), ["1"]);
  assert.deepEqual(namesOf(event("!", "Digit1", { shiftKey: true })), ["!"]);
  assert.deepEqual(namesOf(event("?", "Slash", { shiftKey: true })), ["?"]);
  assert.deepEqual(namesOf(event("a", "KeyQ")), ["a"]); // French: the letter counts
});

/** Models of every kind: each view, with and without images selected, one shown large, a question. */
function* models() {
  const groups = [1, 2].map((id) => ({ id, size: 9, nowhere: false, name: null, decided: 0, expected: 1, sample: [] }));
  const state = { version: 1, groups, n_images: 18, n_decided: 0, expected: 1, estimated: true, undo: "x", redo: "y", divided: true, conflicts: [] };
  const first = { ...opening({ has_map: true }, state), question: { question: { id: 1, rows: [1], candidates: [], guesses: [] }, left: 1 } };
  for (const view of ["divisions", "groups", "question"]) {
    for (const selected of [new Set(), new Set([1]), new Set([1, 2])]) {
      for (const open of [null, 3]) {
        for (const tab of ["images", "parts", "map"]) yield { ...first, view, selected, open, tab };
        yield { ...first, view, selected, open, singles: { at: 0, given: [1], said: [{ at: 0, before: 2 }], shown: true } };
        yield { ...first, view, selected, open, singles: { at: 0, given: [1], said: [], shown: true }, question: { question: { id: 1, rows: [1], candidates: [], guesses: [1] }, left: 1 } };
      }
    }
  }
}

test("a key means one thing at a time", () => {
  for (const model of models()) {
    for (const key of new Set(COMMANDS.flatMap(({ keys }) => keys))) {
      const now = COMMANDS.filter((command) => command.keys.includes(key) && command.when(model));
      assert.ok(now.length <= 1, `${key}: ${now.map(({ id }) => id)} in ${model.view}`);
      assert.equal(commandFor(model, key), now[0] ?? null);
    }
  }
});

test("every action has a label, a line in the help, and a moment when it can be done", () => {
  for (const command of COMMANDS) {
    const whens = [...models()].filter((model) => command.when(model));
    assert.ok(whens.length > 0, command.id);
    for (const model of whens) assert.match(command.label(model), /^[A-Z]/);
    assert.match(command.help, /^[A-Z][^.]+$/);
  }
  assert.equal(new Set(COMMANDS.map(({ id }) => id)).size, COMMANDS.length);
  for (const id of Object.values(BAR).flat()) commandOf(id);
});

test("single images are answered one after another, and any of them again", () => {
  const guessed = { guesses: [1, 2, 1], candidates: [1, 2, 5] };
  let singles = beginning({ guesses: [1, 2, 1], each: guessed });
  assert.deepEqual(singles, { at: 0, given: [1, 2, 1], said: [], shown: true });
  singles = answered(stepped(singles, 1), 1);
  singles = answered(singles, null);
  assert.deepEqual({ ...singles, said: 0 }, { at: 2, given: [1, 1, null], said: 0, shown: true });
  assert.equal(nAnswered(singles), 2);
  assert.deepEqual(takenBack(singles).given, [1, 1, 1]);
  assert.deepEqual(takenBack(takenBack(singles)), { at: 1, given: [1, 2, 1], said: [], shown: true });
  assert.deepEqual(carried(takenBack(singles), (group) => (group === 1 ? 7 : null), [8, 8, 8]).given, [8, 7, 8]);
  assert.deepEqual(takenBack(carried(takenBack(singles), () => null, [8, 8, 8])).given, [8, 8, 8]);
  assert.equal(stepped(singles, 1).at, 2);
  assert.equal(stepped(singles, -9).at, 0);
  assert.equal(beginning({ guesses: [], each: guessed }), null);
  assert.deepEqual(answered(each({ guesses: [], each: guessed }), "new").given, ["new", 2, 1]);
  assert.equal(beginning(null), null);
});

test("a group is confirmed only when its images are shown", () => {
  const store = createStore({ selected: new Set(), picked: new Set(), open: null, cursor: 0, view: "groups", group: 3, members: { group: 1, order: "typical", version: 1, rows: [0], parts: [0] } });
  const log = [];
  const app = { store, say: (text) => log.push(text), act: (act) => log.push(act) };
  confirm(app);
  store.set({ members: { group: 3, order: "typical", version: 1, rows: [0], parts: [0] } });
  confirm(app);
  assert.deepEqual(log, ["The images of this group are not shown yet.", { op: "confirm", group: 3 }]);
});

test("a question goes on with the same images when groups become others, and each group keeps its number", () => {
  const group = (id, name, size, sample) => ({ id, name, size, sample, nowhere: false });
  const before = [group(1, "cats", 3, [0, 1]), group(2, null, 2, [3, 4]), group(3, "birds", 2, [5, 6])];
  const known = new Map(before.map((one) => [one.id, one]));
  const question = { rows: [0, 5], group: 1, candidates: [{ group: 2, share: 0.5 }, { group: 1, share: 0.25 }], guesses: [], each: { guesses: [1, 3], candidates: [2, 1, 3] } };
  const merged = { groups: [group(9, "cats", 5, [0, 3]), group(3, "birds", 2, [5, 6])] };
  const now = { version: 2, group: [9, 9, 9, 9, 9, 3, 3], decided: [0, 0, 0, 0, 0, 0, 0] };
  const became = (id) => successor(id, { known, now, state: merged });
  assert.deepEqual([0, 1, 2, 3].map(became), [0, 9, 9, 3]);
  const anew = { version: 2, group: 9, candidates: [{ group: 9, share: 0.8 }, { group: 3, share: 0.2 }], guesses: [9, 9] };
  const on = carriedOn(question, became, anew, now.decided);
  assert.deepEqual(on.candidates, [{ group: 9, share: 0.8 }, { group: 3, share: 0.2 }]);
  assert.deepEqual(on.each, { guesses: [9, 3], candidates: [9, 3] });
  assert.equal(on.group, 9);
  assert.deepEqual(told(question, { singles: null, known, became, now, state: merged }), ["cats and Group 2 are now one group: cats."]);

  const split = { groups: [group(9, "cats", 2, [0]), group(10, null, 1, [1]), before[1], before[2]] };
  const parted = { version: 2, group: [9, 9, 10, 2, 2, 3, 3], decided: [1, 0, 0, 0, 0, 0, 0] };
  const to = (id) => successor(id, { known, now: parted, state: split });
  assert.deepEqual([1, 2].map(to), [null, 2]); // the larger part has the sample, and is not the group
  const singles = { ...each(question), said: [{ at: 0, before: 1 }] };
  assert.deepEqual(told(question, { singles, known, became: to, now: parted, state: split }), ["cats is no more.", "What you said of 1 of these images fits no more: it is open again.", "1 of these images was decided meanwhile.", "Most of these images are now in cats."]);
  assert.deepEqual(told(question, { singles: each(question), known, became: to, now: parted, state: split })[0], "cats is no more.");
  const apart = { version: 2, group: 10, candidates: [9, 10, 2, 3].map((group) => ({ group, share: 0.25 })), guesses: [9, 10] };
  const of = carriedOn(question, to, apart, parted.decided);
  assert.deepEqual(of.each, { guesses: [9, 3], candidates: [2, 9, 10, 3] }); // both that it fell into, one in its place
  assert.deepEqual(of.candidates.map((one) => one.group), [2, 9, 10]);
});
