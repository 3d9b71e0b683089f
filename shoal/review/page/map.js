/** The map of all images: those of the open group stand out; a lasso selects. */

/** @import {App, Labels, Model} from "./types.js" */
/** @import {Camera} from "./map_maths.js" */
import { map as places, why } from "./api.js";
import { strip } from "./dialogs.js";
import { button, el } from "./dom.js";
import { listenToMap } from "./map_input.js";
import { whole, zoomed } from "./map_maths.js";
import { spoken } from "./noun.js";
import { paletteOf } from "./palette.js";

const PICTURES = 260; // so many in the window at most are drawn as thumbnails

/** @param {App} app @param {HTMLElement} root */
export function createMap(app, root) {
  const { store, sheets } = app;
  const canvas = el("canvas", { tabindex: "0", role: "img", "aria-label": spoken`Map of all images. Plus and minus zoom, arrow keys move, 0 shows all.` });
  const everywhere = el("input", { type: "checkbox", id: "everywhere" });
  const lasso = button("Lasso", () => mode(true), { title: spoken`Drag around images to select them` });
  const hand = button("Move the map", () => mode(false), { title: "Drag to move; the wheel or two fingers zoom" });
  const seen = el("div", { class: "map-selected" });
  const told = el("p", { class: "told soft", role: "status" });
  root.append(
    el("div", { class: "map-tools" }, lasso, hand, button("Show all", () => look(null)), button("Nearer", () => zoom(1.5)), button("Farther", () => zoom(1 / 1.5)),
      el("label", {}, everywhere, el("span", { text: "Select in all groups" }))),
    told, canvas, seen);
  /** @type {Float32Array | null} */
  let xy = null;
  /** @type {Camera | null} */
  let camera = null;
  /** @type {[number, number][]} */
  let line = [];
  let due = false;
  let asking = false;
  const state = { lasso: true };

  /** @param {boolean} on */
  function mode(on) {
    state.lasso = on;
    lasso.setAttribute("aria-pressed", String(on));
    hand.setAttribute("aria-pressed", String(!on));
    canvas.classList.toggle("moving", !on);
  }

  function soon() {
    if (due || root.hidden) return;
    due = true;
    requestAnimationFrame(() => { due = false; draw(); });
  }

  /** @param {Camera | null} next all of it where null */
  function look(next) {
    camera = next;
    soon();
  }

  /** @param {number} factor */
  function zoom(factor) {
    if (camera) look(zoomed(camera, factor, canvas.clientWidth / 2, canvas.clientHeight / 2));
  }

  async function ask() {
    if (xy || asking) return;
    asking = true;
    try {
      xy = await places();
      told.textContent = "";
    } catch (error) {
      told.textContent = `The map cannot be shown. ${why(error)}`;
    }
    asking = false;
    soon();
  }

  function draw() {
    const { labels, selected, group } = store.get();
    const { clientWidth: width, clientHeight: height } = canvas;
    if (!xy || !labels || width === 0) return;
    camera ??= whole(xy, { width, height });
    const ratio = devicePixelRatio;
    canvas.width = width * ratio;
    canvas.height = height * ratio;
    const context = canvas.getContext("2d");
    if (!context) return;
    context.scale(ratio, ratio);
    const inWindow = [];
    for (let row = 0; row < labels.group.length; row++) {
      const [x, y] = at(row);
      if (x > -40 && y > -40 && x < width + 40 && y < height + 40) inWindow.push(row);
    }
    const pictures = inWindow.length <= PICTURES;
    const dot = Math.max(1.2, Math.min(4, 200 / Math.sqrt(labels.group.length)));
    /** @type {[number, number, (row: number) => boolean][]} */
    const layers = [[0.22, dot, (row) => labels.group[row] !== group], [1, dot * 1.25, (row) => labels.group[row] === group]];
    for (const [alpha, size, fits] of layers) {
      context.globalAlpha = pictures ? 1 : alpha;
      dots(context, inWindow.filter((row) => fits(row)), labels, size, pictures);
    }
    context.globalAlpha = 1;
    context.strokeStyle = context.fillStyle = getComputedStyle(canvas).color;
    for (const row of selected) {
      const [x, y] = at(row);
      if (x < -9 || y < -9 || x > width + 9 || y > height + 9) continue;
      context.lineWidth = 1.5;
      if (pictures) context.strokeRect(x - 25, y - 25, 50, 50);
      else context.strokeRect(x - dot - 1, y - dot - 1, 2 * dot + 2, 2 * dot + 2);
    }
    if (line.length > 1) {
      context.beginPath();
      for (const [x, y] of line) context.lineTo(x, y);
      context.closePath();
      context.globalAlpha = 0.12;
      context.fill();
      context.globalAlpha = 1;
      context.stroke();
    }
  }

  /** @param {number} row @returns {[number, number]} */
  function at(row) {
    if (!xy || !camera) return [NaN, NaN];
    return [xy[2 * row] * camera.scale + camera.x, xy[2 * row + 1] * camera.scale + camera.y];
  }

  /** @param {CanvasRenderingContext2D} context @param {number[]} rows @param {Labels} labels @param {number} size @param {boolean} pictures */
  function dots(context, rows, { group }, size, pictures) {
    /** @type {Map<number, string>} */
    const colours = new Map();
    for (const row of rows) {
      const id = group[row];
      const [x, y] = at(row);
      let colour = colours.get(id);
      if (!colour) colours.set(id, (colour = paletteOf(id)));
      context.fillStyle = colour;
      const sheet = pictures ? sheets.find(row) : null;
      if (!sheet) {
        context.fillRect(x - size, y - size, 2 * size, 2 * size);
        continue;
      }
      const { image, column, line: high, columns, lines } = sheet;
      const [w, h] = [image.naturalWidth / columns, image.naturalHeight / lines];
      context.fillRect(x - 23, y - 23, 46, 46);
      context.drawImage(image, column * w, high * h, w, h, x - 21, y - 21, 42, 42);
    }
  }

  mode(true);
  sheets.onLoad(soon);
  new ResizeObserver(() => { if (canvas.clientWidth) look(null); }).observe(canvas);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", soon);
  store.on(["tab", "view", "back"], ({ tab, view }) => { if (tab === "map" && view === "groups") void ask(); soon(); });
  store.on(["labels", "group"], soon);
  store.on(["selected", "tab"], (/** @type {Model} */ { selected, tab }) => {
    soon();
    if (tab === "map") seen.replaceChildren(strip(app, [...selected], 24));
  });
  listenToMap(app, canvas, {
    places: () => xy, camera: () => camera, look, everywhere, state,
    /** @param {[number, number][]} drawn */
    lasso(drawn) { line = drawn; soon(); },
  });
}
