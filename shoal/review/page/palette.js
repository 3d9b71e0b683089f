/** A colour for each group, by its id: it stays the same however the list changes. */

import { el } from "./dom.js";

// Okabe and Ito (2008), distinct for every kind of colour vision; then hues a golden section apart.
const FIRST = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#d8c900"];

/** @param {number} id of the group; 0 is nowhere */
export function paletteOf(id) {
  if (id <= 0) return "#8a8f94";
  if (id <= FIRST.length) return FIRST[id - 1];
  const hue = Math.round(((id * 0.61803398875) % 1) * 360);
  return `hsl(${hue} ${[75, 50, 65][id % 3]}% ${[48, 62, 38][id % 3]}%)`;
}

/** A dot in the colour of a group. @param {number} id */
export function dotOf(id) {
  const dot = el("span", { class: "dot", "aria-hidden": "true" });
  dot.style.backgroundColor = paletteOf(id);
  return dot;
}
