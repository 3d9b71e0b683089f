/** Mouse, fingers and keys on the map. */

/** @import {App} from "./types.js" */
/** @import {Camera} from "./map_maths.js" */
import { lassoed, nearest, zoomed } from "./map_maths.js";
import { toggled } from "./selection.js";

const STEP = 60; // pixels an arrow key moves the map
const TAP = 5; // pixels up to which a drag is a click

/**
 * @param {App} app
 * @param {HTMLCanvasElement} canvas
 * @param {object} map
 * @param {() => Float32Array | null} map.places
 * @param {() => Camera | null} map.camera
 * @param {(camera: Camera | null) => void} map.look
 * @param {(line: [number, number][]) => void} map.lasso
 * @param {HTMLInputElement} map.everywhere
 * @param {{lasso: boolean}} map.state
 */
export function listenToMap(app, canvas, { places, camera, look, lasso, everywhere, state }) {
  /** @type {Map<number, [number, number]>} */
  const fingers = new Map();
  /** @type {[number, number][]} */
  let line = [];
  let travelled = 0;
  let panning = false;

  /** @param {{clientX: number, clientY: number}} event @returns {[number, number]} */
  const spot = ({ clientX, clientY }) => {
    const { left, top } = canvas.getBoundingClientRect();
    return [clientX - left, clientY - top];
  };
  /** @param {number} dx @param {number} dy */
  const move = (dx, dy) => {
    const now = camera();
    if (now) look({ ...now, x: now.x + dx, y: now.y + dy });
  };
  /** @param {number} factor @param {number} x @param {number} y */
  const zoom = (factor, x, y) => {
    const now = camera();
    if (now) look(zoomed(now, factor, x, y));
  };

  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, spot(event));
    if (fingers.size > 1) return finish(); // two fingers zoom: no lasso
    travelled = 0;
    panning = !state.lasso || event.button === 1 || event.button === 2;
    line = panning ? [] : [spot(event)];
    return undefined;
  });
  canvas.addEventListener("pointermove", (event) => {
    const before = fingers.get(event.pointerId);
    if (!before) return;
    const now = spot(event);
    const [dx, dy] = [now[0] - before[0], now[1] - before[1]];
    travelled += Math.hypot(dx, dy);
    fingers.set(event.pointerId, now);
    if (fingers.size === 2) {
      const other = [...fingers].filter(([id]) => id !== event.pointerId)[0][1];
      const apart = (/** @type {[number, number]} */ [x, y]) => Math.max(10, Math.hypot(x - other[0], y - other[1]));
      move(dx / 2, dy / 2);
      zoom(apart(now) / apart(before), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
    } else if (panning) move(dx, dy);
    else if (line.length > 0) {
      line.push(now);
      lasso(line);
    }
  });
  canvas.addEventListener("pointerup", (event) => {
    if (fingers.size === 1 && travelled <= TAP) tap(event);
    else if (fingers.size === 1 && line.length > 2) choose(event.shiftKey || event.ctrlKey || event.metaKey);
    fingers.delete(event.pointerId);
    finish();
  });
  canvas.addEventListener("pointercancel", (event) => {
    fingers.delete(event.pointerId);
    finish();
  });
  canvas.addEventListener("contextmenu", (event) => event.preventDefault());

  function finish() {
    line = [];
    lasso(line);
  }

  /** @param {PointerEvent} event */
  function tap(event) {
    const [xy, now] = [places(), camera()];
    if (!xy || !now) return;
    const row = nearest(xy, now, ...spot(event), event.pointerType === "mouse" ? 12 : 24);
    const { selected } = app.store.get();
    if (row < 0) app.store.set({ selected: new Set() });
    else app.store.set({ selected: event.ctrlKey || event.metaKey || event.pointerType === "touch" ? toggled(selected, row) : new Set([row]) });
  }

  /** @param {boolean} more whether what was selected stays selected */
  function choose(more) {
    const [xy, now] = [places(), camera()];
    const { labels, group, selected } = app.store.get();
    if (!xy || !now || !labels) return;
    const rows = lassoed(xy, now, line, (row) => everywhere.checked || labels.group[row] === group);
    app.store.set({ selected: new Set(more ? [...selected, ...rows] : rows) });
  }

  canvas.addEventListener("dblclick", (event) => {
    const [xy, now] = [places(), camera()];
    const row = xy && now ? nearest(xy, now, ...spot(event), 24) : -1;
    if (row >= 0) app.store.set({ open: row });
  });
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    const lines = event.deltaMode === 1 ? 16 : 1;
    zoom(Math.exp(-event.deltaY * lines * (event.ctrlKey ? 0.01 : 0.0016)), ...spot(event));
  }, { passive: false });

  canvas.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const [x, y] = [canvas.clientWidth / 2, canvas.clientHeight / 2];
    const way = { ArrowLeft: [STEP, 0], ArrowRight: [-STEP, 0], ArrowUp: [0, STEP], ArrowDown: [0, -STEP] }[event.key];
    if (way) move(way[0], way[1]);
    else if (event.key === "+" || event.key === "=") zoom(1.5, x, y);
    else if (event.key === "-") zoom(1 / 1.5, x, y);
    else if (event.key === "0") look(null);
    else return;
    event.preventDefault();
  });
}
