/** The sums of the page: where tiles lie, what a lasso holds, which keys lead where. */

import assert from "node:assert/strict";
import test from "node:test";
import { layout, place, step, visible, within } from "../../shoal/review/page/grid_maths.js";
import { inside, lassoed, nearest, whole, zoomed } from "../../shoal/review/page/map_maths.js";
import { addressed, opening, received, wentTo, wholly } from "../../shoal/review/page/model.js";
import { between, dealt, kept, keysOf, listed, slots, toggled } from "../../shoal/review/page/selection.js";
import { batches, placeOnSheet } from "../../shoal/review/page/sheets.js";
import { allOf, clearness, doubts, ending, percent, progress, savedText, titleOf } from "../../shoal/review/page/words.js";

const KEYS = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End", "PageUp", "PageDown"];

/** Grids of all kinds. */
function* grids() {
  for (const width of [50, 380, 1000, 2400]) {
    for (const parts of [[], [0], [1], [7], [200_000], [5, 40, 3], [12, 0, 1]]) {
      for (const lines of [1, 2, Infinity]) {
        yield layout(parts.map((count) => ({ count, lines })), { width, tile: 100, aspect: 0.75, gap: 6, head: parts.length > 1 ? 40 : 0 });
      }
    }
  }
}

/** Places of the images that a grid shows; of long ones some. */
function places(grid) {
  return grid.sections.flatMap(({ first, shown }) =>
    Array.from({ length: Math.min(shown, 300) }, (_, i) => first + (shown > 300 ? Math.floor((i / 299) * (shown - 1)) : i)));
}

test("tiles do not overlap, lie within the grid, and are where a window finds them", () => {
  for (const grid of grids()) {
    const seen = new Set();
    for (const index of places(grid)) {
      const { x, y } = place(grid, index);
      assert.ok(x >= 0 && y >= 0 && y + grid.high <= grid.height);
      assert.ok(!seen.has(`${x} ${y}`));
      seen.add(`${x} ${y}`);
      assert.ok(visible(grid, y, y + grid.high).some(([from, to]) => index >= from && index < to));
      assert.deepEqual(within(grid, { left: x + 1, top: y + 1, right: x + 2, bottom: y + 2 }), [index]);
    }
  }
});

test("a window of 200,000 images holds few", () => {
  const grid = layout([{ count: 200_000 }], { width: 1200, tile: 100 });
  const shown = visible(grid, 900_000, 901_000).reduce((sum, [from, to]) => sum + to - from, 0);
  assert.ok(shown > 50 && shown < 150, String(shown));
});

test("an image that its part does not show has no place", () => {
  const grid = layout([{ count: 30, lines: 1 }, { count: 5, lines: 1 }], { width: 620, tile: 100, head: 40 });
  assert.equal(grid.columns, 5);
  assert.equal(place(grid, 5), null);
  assert.notEqual(place(grid, 30), null);
});

test("keys lead from image to image and never astray", () => {
  for (const grid of grids()) {
    const there = new Set(grid.sections.flatMap(({ first, shown }) => (shown < 1000 ? Array.from({ length: shown }, (_, i) => first + i) : [])));
    if (there.size === 0) continue;
    for (const index of there) for (const key of KEYS) assert.ok(there.has(step(grid, index, key, 3)), `${index} ${key}`);
  }
  const grid = layout([{ count: 7 }, { count: 3 }], { width: 312, tile: 100, head: 40 }); // 3 a line
  assert.deepEqual(KEYS.map((key) => step(grid, 4, key)), [3, 5, 1, 6, 0, 9, 1, 6]);
  assert.equal(step(grid, 6, "ArrowDown"), 7); // into the next part
  assert.equal(step(grid, 8, "ArrowUp"), 6); // the last line is short
  assert.equal(step(grid, 6, "ArrowRight"), 7);
  assert.equal(step(grid, 9, "ArrowRight"), 9);
});

test("a rectangle touches exactly the tiles it meets", () => {
  const grid = layout([{ count: 100 }], { width: 530, tile: 100, gap: 6 }); // 5 a line, 101 wide
  assert.deepEqual(within(grid, { left: 90, top: 90, right: 110, bottom: 110 }), [0, 1, 5, 6]);
  assert.deepEqual(within(grid, { left: 102, top: 0, right: 104, bottom: 1e6 }), []);
});

test("the map shows all places, and what is under the pointer stays there", () => {
  const xy = new Float32Array([0, 0, 10, 5, -10, 2, NaN, 1]);
  const camera = whole(xy, { width: 300, height: 200 });
  for (let i = 0; i < 6; i += 2) {
    const [x, y] = [xy[i] * camera.scale + camera.x, xy[i + 1] * camera.scale + camera.y];
    assert.ok(x >= 23 && x <= 277 && y >= 23 && y <= 177);
  }
  const nearer = zoomed(camera, 3, 40, 50);
  assert.ok(Math.abs((40 - nearer.x) / nearer.scale - (40 - camera.x) / camera.scale) < 1e-9);
  assert.equal(nearest(xy, camera, 10 * camera.scale + camera.x, 5 * camera.scale + camera.y, 5), 1);
  assert.equal(nearest(xy, camera, 1, 1, 5), -1);
  assert.ok(Number.isFinite(whole(new Float32Array([3, 3]), { width: 100, height: 100 }).scale));
});

test("a lasso holds what is inside it, hollows left out", () => {
  const line = [[0, 0], [10, 0], [10, 10], [5, 2], [0, 10]]; // a notch from below
  assert.ok(inside(line, 1, 5) && inside(line, 9, 5));
  assert.ok(!inside(line, 5, 8) && !inside(line, 11, 5));
  const xy = new Float32Array([1, 5, 9, 5, 5, 8, 1, 1]);
  assert.deepEqual(lassoed(xy, { scale: 1, x: 0, y: 0 }, line, (row) => row !== 3), [0, 1]);
});

test("selections", () => {
  assert.deepEqual([...toggled(new Set([1, 2]), 2)], [1]);
  assert.deepEqual([...toggled(new Set([1]), 2)], [1, 2]);
  assert.deepEqual(between([5, 6, 7, 8], 3, 1), [6, 7, 8]);
  assert.deepEqual([...kept(new Set([1, 9]), [9, 4])], [9]);
});

const group = (id, size, nowhere = false) => ({ id, size, nowhere, name: null, decided: 0, expected: 1, sample: [] });

test("a group keeps its key while it exists, and its number is its key where that is free", () => {
  const first = slots([], [group(4, 10), group(2, 30), group(0, 99, true), group(7, 20)]);
  assert.deepEqual(first, [null, 2, null, 4, null, null, 7, null, null]); // “Group 7” has the key 7
  const later = slots(first, [group(4, 500), group(2, 30), group(12, 20), group(11, 25), group(1, 1)]);
  assert.deepEqual(later, [1, 2, 11, 4, 12, null, null, null, null]);
  const grown = slots(later, [group(12, 20), group(2, 30), group(3, 9), group(5, 8)]);
  assert.deepEqual(grown, [5, 2, 3, null, 12, null, null, null, null]);
  const many = slots([], Array.from({ length: 20 }, (_, i) => group(i + 1, 100 - i)));
  assert.equal(many.length, 9);
  assert.deepEqual(listed(later, [group(0, 99, true), group(4, 1), group(2, 1), group(8, 1), group(30, 5)]).map(({ id }) => id), [2, 4, 30, 8, 0]);
  assert.deepEqual(keysOf(later, [11, null, 30, 2]), ["3", "", "f", "2"]); // the same in a question
});

test("what is left of a group makes room for a named or large one, and no other key changes hands", () => {
  const before = slots([], Array.from({ length: 9 }, (_, i) => group(i + 1, 50)));
  const leftover = [group(1, 2), ...Array.from({ length: 8 }, (_, i) => group(i + 2, 50)), group(23, 400)];
  assert.deepEqual(slots(before, leftover), before);
  assert.deepEqual(dealt(before, leftover), [23, 2, 3, 4, 5, 6, 7, 8, 9]);
  assert.equal(dealt(before, [...leftover, { ...group(30, 1), name: "rare" }])[8], 30);
  assert.equal(listed(dealt(before, leftover), leftover).at(-1)?.id, 1);
});

test("news of the server: what is gone is left, older news is dropped", () => {
  const state = (version, ...groups) => ({ version, groups, n_images: 9, n_decided: 0, expected: 1, estimated: true, undo: null, redo: null, divided: true, conflicts: [], saved: true });
  const model = { ...opening({}, state(3, group(1, 5), group(2, 4))), picked: new Set([1, 2]) };
  assert.equal(model.view, "groups");
  assert.equal(model.group, 1);
  const patch = received(model, state(4, group(2, 4), group(5, 5)));
  assert.deepEqual([patch.group, [...patch.picked]], [2, [2]]);
  assert.equal(received(model, state(4, group(2, 4), group(5, 5)), [5]).group, 5, "what the open group became stays open");
  assert.deepEqual(received(model, state(2, group(9, 9))), {});
  const early = { ...state(3, group(1, 5)), estimated: false };
  assert.deepEqual(received(model, early), {}, "how sure it is was known already");
  assert.equal(received({ ...model, state: early }, state(3, group(1, 5))).state.estimated, true);
  assert.equal(opening({}, { ...state(1, group(1, 1)), divided: false }).view, "divisions");
  assert.equal(opening({}, state(1)).group, null);
});

test("addresses and answers", () => {
  assert.deepEqual(addressed("#group/12"), { view: "groups", group: 12 });
  assert.deepEqual(addressed("#question"), { view: "question" });
  assert.equal(addressed("#group/1x"), null);
  assert.deepEqual(wentTo({ entry: { n: 1, to: [3] } }), [3]);
  assert.deepEqual(wentTo({ entry: { n: 1, to: { 3: [7] } } }), [3]);
  assert.deepEqual(wentTo({ entry: null }), []);
});

test("thumbnails on a sheet", () => {
  assert.deepEqual(batches([1, 2, 3, 4, 5], 2), [[1, 2], [3, 4], [5]]);
  assert.deepEqual(placeOnSheet(17, 20, 16), { column: 1, line: 1, columns: 16, lines: 2 });
  assert.deepEqual(placeOnSheet(2, 3, 16), { column: 2, line: 0, columns: 3, lines: 1 });
});

test("words", () => {
  assert.equal(progress({ n_images: 8500, n_decided: 412, expected: 0.968 }), "412 of 8,500 decided, about 97 % sure of the rest");
  assert.equal(progress({ n_images: 5, n_decided: 5, expected: 1 }), "5 of 5 decided");
  assert.equal(doubts({ n_images: 8500, n_decided: 500, expected: 0.88 }), "Of the images that you did not decide, about 960 are in a wrong group.");
  assert.equal(doubts({ n_images: 50, n_decided: 12, expected: 0.999 }), "Of the images that you did not decide, hardly any is in a wrong group.");
  assert.equal(doubts({ n_images: 50, n_decided: 50, expected: 1 }), "All images are decided.");
  assert.deepEqual([percent(1), percent(0.999), percent(0.001), percent(0)], ["100 %", "99 %", "1 %", "0 %"]);
  assert.deepEqual([titleOf(group(3, 1)), titleOf(group(0, 1, true)), titleOf({ ...group(3, 1), name: "<b>" })], ["Group 3", "Belongs nowhere", "<b>"]);
  assert.match(clearness(0.9, 0.05), /^Clearly apart\. .*not about colour and light\.$/);
  assert.match(clearness(0.5, 0.9), /^Hardly apart.*explain most of it/);
  assert.equal(clearness(null, null), "");
  assert.deepEqual([savedText(0, "here"), savedText(1, "here"), savedText(2, "gone"), savedText(0, "gone")], ["Saved", "Saving…", "2 actions not saved", "No server"]);
});

test("a group that would end is named, and no other", () => {
  const groups = [{ id: 1, size: 2, nowhere: false }, { id: 2, size: 3, nowhere: false }, { id: 0, size: 1, nowhere: true }];
  const labels = { version: 4, group: Int32Array.of(1, 2, 1, 2, 2, 0) };
  const ids = (labels, members, rows) => wholly({ state: { version: 4, groups }, labels, members }, rows).map(({ id }) => id);
  assert.deepEqual(ids(labels, null, [0, 2, 3, 5]), [1]);
  assert.deepEqual(ids(labels, null, [0, 1, 3]), []);
  assert.deepEqual(ids({ ...labels, version: 3 }, { group: 2, rows: [1, 3, 4] }, [0, 1, 2, 3, 4]), [2], "old labels say nothing");
  assert.deepEqual(ids(null, null, [0, 2]), []);
  assert.equal(ending([]), "");
  assert.equal(ending(["a"]), "a would end: no image is left in it.");
  assert.equal(ending(["a", "b", "c"]), "a, b and c would end: no image is left in them.");
  assert.equal(allOf(["a"]), "These are all images of a, which ends if they go.");
});
