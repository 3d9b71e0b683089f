/** The images of a group: only those in the window have elements, however many there are. */

/** @import {App, Model} from "./types.js" */
/** @import {Layout} from "./grid_maths.js" */
import { el } from "./dom.js";
import { gridHeads } from "./grid_heads.js";
import { listenToGrid } from "./grid_input.js";
import { layout, place, visible } from "./grid_maths.js";
import { spoken } from "./noun.js";
import { count, titleIn } from "./words.js";

const GAP = 6;
const HEAD = 44; // pixels of the head of a part
const AROUND = 300; // pixels above and below the window that are drawn, too

/**
 * @typedef {object} Grid what its input works with
 * @property {HTMLElement} scroller
 * @property {HTMLElement} list
 * @property {() => Layout} layout
 * @property {(index: number) => void} reveal
 */

/** @param {App} app @param {HTMLElement} scroller */
export function createGrid(app, scroller) {
  const { store, sheets } = app;
  const list = el("div", { class: "tiles", id: "tiles", role: "listbox", "aria-multiselectable": "true", "aria-label": spoken`Images`, tabindex: "0" });
  const heads = el("div", { class: "heads" });
  const told = el("p", { class: "told soft", role: "status" });
  scroller.append(told, list, heads);
  /** @type {Map<number, HTMLElement>} by the place among the members */
  const tiles = new Map();
  /** @type {HTMLElement[]} */
  const spare = [];
  let grid = layout([], { width: 1, tile: 1 });
  const parts = gridHeads(app, heads, arrange);

  function arrange() {
    const { members, tab, tile, pile } = store.get();
    const [height, width] = [pile.sheets.height, pile.sheets.width];
    const inParts = tab === "parts" && members?.order === "part";
    const sections = inParts ? parts.sections() : [{ count: members?.rows.length ?? 0 }];
    grid = layout(sections, {
      width: scroller.clientWidth - 2 * GAP, tile: Math.min(tile, Math.max(72, scroller.clientWidth / 3 - 2 * GAP)),
      aspect: Math.min(2, Math.max(0.5, height / width)), gap: GAP, head: inParts ? HEAD : 0,
    });
    list.style.height = `${grid.height}px`;
    parts.draw(grid, inParts);
    draw();
  }

  function draw() {
    const model = store.get();
    const top = scroller.scrollTop - AROUND;
    const ranges = visible(grid, top, top + scroller.clientHeight + 2 * AROUND);
    const shown = new Set(ranges.flatMap(([from, to]) => Array.from({ length: to - from }, (_, i) => from + i)));
    for (const [index, tile] of tiles) {
      if (shown.has(index)) continue;
      tiles.delete(index);
      sheets.forget(/** @type {HTMLElement} */ (tile.firstElementChild));
      tile.hidden = true;
      spare.push(tile);
    }
    for (const index of shown) {
      let tile = tiles.get(index);
      if (!tile) {
        tile = spare.pop() ?? list.appendChild(el("div", { role: "option", class: "tile" }, el("span", { class: "picture" })));
        tile.hidden = false;
        tiles.set(index, tile);
      }
      fill(tile, index, model);
    }
    const row = model.members?.rows[model.cursor];
    if (row !== undefined && tiles.has(model.cursor)) list.setAttribute("aria-activedescendant", `image-${row}`);
    else list.removeAttribute("aria-activedescendant");
  }

  /** @param {HTMLElement} tile @param {number} index @param {Model} model */
  function fill(tile, index, { members, selected, labels, leaving, cursor, state }) {
    const at = place(grid, index);
    const row = members?.rows[index];
    if (!at || row === undefined || !members) return;
    tile.id = `image-${row}`;
    tile.dataset.index = String(index);
    tile.style.transform = `translate(${at.x}px, ${at.y}px)`;
    tile.style.width = `${grid.wide}px`;
    tile.style.height = `${grid.high}px`;
    sheets.show(/** @type {HTMLElement} */ (tile.firstElementChild), row);
    const decided = Boolean(labels?.decided[row]);
    tile.classList.toggle("cursor", index === cursor);
    tile.classList.toggle("decided", decided);
    tile.classList.toggle("leaving", leaving.has(row) || (labels?.version === state.version && labels.group[row] !== members.group));
    tile.setAttribute("aria-selected", String(selected.has(row)));
    tile.setAttribute("aria-setsize", String(members.rows.length));
    tile.setAttribute("aria-posinset", String(index + 1));
    tile.setAttribute("aria-label", spoken`Image ${count(index + 1)} of ${count(members.rows.length)}${decided ? ", decided" : ""}`);
  }

  /** Scroll so that an image is seen. @param {number} index */
  function reveal(index) {
    const at = place(grid, index);
    if (!at) return;
    const margin = GAP + 2;
    if (at.y - margin < scroller.scrollTop) scroller.scrollTop = at.y - margin - (index === 0 ? HEAD : 0);
    else if (at.y + grid.high + margin > scroller.scrollTop + scroller.clientHeight) {
      scroller.scrollTop = at.y + grid.high + margin - scroller.clientHeight;
    }
  }

  let due = false;
  scroller.addEventListener("scroll", () => {
    if (due) return;
    due = true;
    requestAnimationFrame(() => { due = false; draw(); });
  }, { passive: true });
  new ResizeObserver(arrange).observe(scroller);
  let before = "";
  store.on(["members", "tab", "tile"], ({ members, tab }) => {
    const now = `${members?.group} ${members?.order} ${tab}`;
    if (now !== before) {
      scroller.scrollTop = 0;
      parts.fold();
    }
    before = now;
    arrange();
  });
  store.on(["selected", "cursor", "labels", "leaving"], draw);
  store.on(["members", "failed", "group", "state", "loading"], ({ members, failed, group, state, loading }) => {
    const title = titleIn(state, group ?? 0);
    const missing = failed.members ? `${title} cannot be shown. ${failed.members}` : loading ? "" : "No group is open.";
    const stale = failed.members ? `${title} as it was shown before; it cannot be loaded now. ${failed.members}` : "";
    told.textContent = !members ? missing : members.rows.length > 0 ? stale : spoken`No image is here.`;
  });
  store.on(["cursor"], ({ cursor }) => { if (document.activeElement === list) reveal(cursor); });
  listenToGrid(app, { scroller, list, layout: () => grid, reveal });
}
