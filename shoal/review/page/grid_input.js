/** Mouse, fingers and keys in the grid: which images are selected. */

/** @import {App} from "./types.js" */
/** @import {Grid} from "./grid.js" */
import { el } from "./dom.js";
import { step, within } from "./grid_maths.js";
import { openImage } from "./navigate.js";
import { between, toggled } from "./selection.js";

const DRAG = 5; // pixels from which on a click is a drag
const EDGE = 40; // pixels at the edge in which a drag scrolls

/** @param {App} app @param {Grid} grid */
export function listenToGrid(app, { scroller, list, layout, reveal }) {
  const { store } = app;
  const box = el("div", { class: "rubber", hidden: true });
  list.append(box);
  let anchor = 0;
  /** @type {{x: number, y: number, set: Set<number>, moved: boolean} | null} */
  let drag = null;
  let dragged = false;
  const last = { x: 0, y: 0 };

  const rows = () => store.get().members?.rows ?? [];
  /** @param {Event} event */
  const indexOf = (event) => {
    const tile = /** @type {Element} */ (event.target).closest?.(".tile");
    return tile instanceof HTMLElement ? Number(tile.dataset.index) : -1;
  };
  /** @param {{clientX: number, clientY: number}} event */
  const spot = ({ clientX, clientY }) => {
    const { left, top } = list.getBoundingClientRect();
    return { x: clientX - left, y: clientY - top };
  };

  list.addEventListener("click", (event) => {
    if (dragged) return void (dragged = false);
    const index = indexOf(event);
    const { selected } = store.get();
    if (index < 0) return event.shiftKey || store.set({ selected: new Set() });
    const touch = /** @type {PointerEvent} */ (event).pointerType === "touch";
    if (event.shiftKey) {
      const more = between(rows(), anchor, index);
      store.set({ cursor: index, selected: new Set(event.ctrlKey || event.metaKey ? [...selected, ...more] : more) });
    } else {
      anchor = index;
      const row = rows()[index];
      store.set({ cursor: index, selected: touch || event.ctrlKey || event.metaKey ? toggled(selected, row) : new Set([row]) });
    }
    return undefined;
  });
  list.addEventListener("dblclick", (event) => { if (indexOf(event) >= 0) openImage(app, indexOf(event)); });
  list.addEventListener("contextmenu", (event) => {
    if (/** @type {PointerEvent} */ (event).pointerType !== "touch" || indexOf(event) < 0) return;
    event.preventDefault(); // a finger held on an image
    openImage(app, indexOf(event));
  });

  list.addEventListener("pointerdown", (event) => {
    dragged = false;
    if (event.button !== 0 || event.pointerType === "touch") return;
    const { selected } = store.get();
    const more = event.shiftKey || event.ctrlKey || event.metaKey;
    drag = { ...spot(event), set: more ? selected : new Set(), moved: false };
  });
  list.addEventListener("pointermove", (event) => {
    if (!drag) return;
    Object.assign(last, { x: event.clientX, y: event.clientY });
    const now = spot(event);
    if (!drag.moved) {
      if (Math.hypot(now.x - drag.x, now.y - drag.y) < DRAG) return;
      drag.moved = true;
      list.setPointerCapture(event.pointerId);
      box.hidden = false;
      requestAnimationFrame(scrollAtEdge);
    }
    stretch();
  });
  const end = () => {
    dragged = drag?.moved ?? false;
    drag = null;
    box.hidden = true;
  };
  list.addEventListener("pointerup", end);
  list.addEventListener("pointercancel", end);
  list.addEventListener("dragstart", (event) => event.preventDefault());

  function stretch() {
    if (!drag) return;
    const now = spot({ clientX: last.x, clientY: last.y });
    const [left, right] = [Math.min(drag.x, now.x), Math.max(drag.x, now.x)];
    const [top, bottom] = [Math.min(drag.y, now.y), Math.max(drag.y, now.y)];
    box.style.transform = `translate(${left}px, ${top}px)`;
    box.style.width = `${right - left}px`;
    box.style.height = `${bottom - top}px`;
    const found = within(layout(), { left, top, right, bottom });
    store.set({ selected: new Set([...drag.set, ...found.map((index) => rows()[index])]) });
    if (found.length > 0) anchor = found[0];
  }

  function scrollAtEdge() {
    if (!drag?.moved) return;
    const { top, bottom } = scroller.getBoundingClientRect();
    const by = last.y < top + EDGE ? last.y - top - EDGE : Math.max(0, last.y - bottom + EDGE);
    if (by !== 0) {
      scroller.scrollTop += by / 2;
      stretch();
    }
    requestAnimationFrame(scrollAtEdge);
  }

  list.addEventListener("keydown", (event) => {
    const { cursor, selected, members } = store.get();
    if (!members || event.altKey) return;
    if (event.key === " ") {
      anchor = cursor;
      store.set({ selected: toggled(selected, members.rows[cursor]) });
    } else if (/^(Arrow|Home|End|Page)/.test(event.key)) {
      const grid = layout();
      const lines = Math.max(1, Math.floor(scroller.clientHeight / (grid.high + grid.gap)));
      const first = selected.size === 0 && !event.shiftKey && event.key.startsWith("Arrow") && !selected.has(members.rows[cursor]);
      const to = first && !started ? cursor : step(grid, cursor, event.key, lines);
      started = true;
      if (event.shiftKey) store.set({ cursor: to, selected: new Set(between(members.rows, anchor, to)) });
      else {
        anchor = to;
        store.set({ cursor: to, ...(event.ctrlKey || event.metaKey ? {} : { selected: new Set([members.rows[to]]) }) });
      }
      reveal(to);
    } else return;
    event.preventDefault();
  });
  let started = false; // whether an arrow key was pressed since the list has the focus
  list.addEventListener("focus", () => { started = false; anchor = store.get().cursor; });
}
