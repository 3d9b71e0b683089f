/** What the browser keeps until it is said, and what brings it to another address. */

import assert from "node:assert/strict";
import test from "node:test";
import { Refused } from "../../shoal/review/page/api.js";
import { addressWith, brought, createKept } from "../../shoal/review/page/kept.js";
import { createQueue } from "../../shoal/review/page/queue.js";
import { described } from "../../shoal/review/page/words.js";

/** As much of the browser's store as is needed. */
function store() {
  const held = new Map();
  return {
    get length() { return held.size; },
    key: (i) => [...held.keys()][i] ?? null,
    getItem: (name) => held.get(name) ?? null,
    setItem: (name, text) => void held.set(name, text),
    removeItem: (name) => void held.delete(name),
  };
}

test("what a page leaves behind is found by the next page of the same pile, in its order", async () => {
  const box = store();
  let open = ["first"];
  const page = (name, pile) => createKept(pile, { box, page: name, open: async () => open, now: () => 1 });
  const first = page("first", "p");
  for (const act of ["a", "b", "c"]) first.add({ op: "confirm", act });
  first.done({ op: "confirm", act: "b" });
  assert.deepEqual(await page("second", "p").left(), []); // the first one is still open
  open = ["second"];
  assert.deepEqual((await page("second", "p").left()).map(({ act }) => act), ["a", "c"]);
  assert.deepEqual(await page("second", "another pile").left(), []);
  first.type("note 3", "half a thou");
  assert.equal(page("second", "p").draft("note 3"), "half a thou");
  first.type("note 3", null);
  assert.equal(page("second", "p").draft("note 3"), null);
});

test("another address brings what is to be said, to the same pile on this machine alone", () => {
  const acts = [{ op: "name", group: 3, name: "50 % of “it” & #more", act: "t1" }];
  const address = addressWith(" http://localhost:4711/?token=abc ", "p", acts);
  const { hash, search } = new URL(address);
  assert.equal(search, "?token=abc");
  assert.deepEqual(brought(hash, "p"), acts);
  assert.deepEqual(brought(hash, "q"), []);
  for (const broken of ["", "#unsent=", "#unsent=%", "#unsent=%7B%7D", "#group/3"]) assert.deepEqual(brought(broken, "p"), []);
  for (const wrong of ["", "nothing", "https://example.org/?token=abc", "javascript:alert(1)", "http://example.org/"]) assert.equal(addressWith(wrong, "p", acts), null);
});

test("a server that does not know the page is waited for, once", async () => {
  const kept = [];
  const script = [new Refused(403, "Open the review again."), { says: "a" }, new Refused(403, "No."), new Refused(403, "No.")];
  const queue = createQueue({
    async post() {
      const next = script.shift();
      if (next instanceof Error) throw next;
      return next;
    },
    onCount: () => {}, onGone: () => {}, untilBack: async () => {}, token: () => "t",
    kept: { add: ({ op }) => kept.push(op), done: ({ op }) => kept.splice(kept.indexOf(op), 1) },
  });
  assert.equal((await queue.send({ op: "a" })).says, "a");
  assert.deepEqual(kept, []);
  await assert.rejects(queue.send({ op: "b" }), /No\./);
  assert.deepEqual(kept, ["b"]); // the next page offers it again
});

test("actions are told in words", () => {
  const state = { groups: [{ id: 3, name: "cats", nowhere: false }, { id: 4, name: null, nowhere: false }] };
  const told = (act) => described(act, state);
  assert.equal(told({ op: "name", group: 4, name: "dogs" }), "Name Group 4 “dogs”");
  assert.equal(told({ op: "move", rows: [1], to: 3 }), "Move 1 image to cats");
  assert.equal(told({ op: "merge", groups: [3, 4] }), "Merge cats, Group 4");
  assert.equal(told({ op: "note", row: 3, text: "look" }), "Note on an image: look");
  assert.equal(told({ op: "undo" }), "Undo");
  assert.equal(told({ op: "answer", rows: [1, 2], to: 3 }), "2 images belong to cats");
  assert.equal(told({ op: "answer", rows: [1], to: "confirm" }), "1 image is right where it is");
  assert.equal(told({ op: "answer", rows: [1, 2], to: "skip" }), "Skip a question about 2 images");
  assert.equal(told({ op: "answer", rows: [1, 2, 5, 6, 7], to: [3, "new", 3, null, 0] }), "5 images, each by itself: 2 to cats, 1 to a new group, 1 left open, 1 nowhere");
});
