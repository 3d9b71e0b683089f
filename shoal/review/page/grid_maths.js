/** Where the images of a grid lie: sections of equal tiles, of which only a window is drawn. */

/**
 * @typedef {{first: number, count: number, shown: number, top: number, y: number, bottom: number}} Section
 *   `first`: the place of its first image; `shown`: how many of its `count` images; `top`: of its
 *   head; `y`: of its first line
 * @typedef {{columns: number, wide: number, high: number, gap: number, height: number,
 *   sections: Section[]}} Layout
 */

/**
 * @param {{count: number, lines?: number}[]} parts how many images each section has, and how many
 *   lines of them are shown
 * @param {{width: number, tile: number, aspect?: number, gap?: number, head?: number}} size `tile`:
 *   the wished width; tiles are stretched to fill the width; `aspect`: height by width
 * @returns {Layout}
 */
export function layout(parts, { width, tile, aspect = 1, gap = 6, head = 0 }) {
  const columns = Math.max(1, Math.floor((width + gap) / (tile + gap)));
  const wide = Math.max(1, Math.floor((width - gap * (columns - 1)) / columns));
  const high = Math.max(1, Math.round(wide * aspect));
  let first = 0;
  let top = 0;
  const sections = parts.map(({ count, lines = Infinity }) => {
    const shown = Math.min(count, lines * columns);
    const y = top + head;
    const bottom = y + Math.ceil(shown / columns) * (high + gap);
    const section = { first, count, shown, top, y, bottom };
    first += count;
    top = bottom + (head > 0 ? gap : 0);
    return section;
  });
  return { columns, wide, high, gap, height: top, sections };
}

/** @param {Section[]} sections @param {number} index */
const sectionOf = (sections, index) => sections.findIndex(({ first, count }) => index >= first && index < first + count);

/**
 * Where an image is; null if its section does not show it.
 * @param {Layout} grid
 * @param {number} index
 */
export function place(grid, index) {
  const section = grid.sections[sectionOf(grid.sections, index)];
  if (!section || index - section.first >= section.shown) return null;
  const at = index - section.first;
  return {
    x: (at % grid.columns) * (grid.wide + grid.gap),
    y: section.y + Math.floor(at / grid.columns) * (grid.high + grid.gap),
  };
}

/**
 * The images whose lines meet a window, as ranges [from, to).
 * @param {Layout} grid
 * @param {number} top
 * @param {number} bottom
 * @returns {[number, number][]}
 */
export function visible(grid, top, bottom) {
  const step = grid.high + grid.gap;
  /** @type {[number, number][]} */
  const ranges = [];
  for (const { first, shown, y, bottom: end } of grid.sections) {
    if (end <= top || y >= bottom) continue;
    const from = Math.max(0, Math.floor((top - y) / step)) * grid.columns;
    const to = Math.min(shown, Math.ceil((bottom - y) / step) * grid.columns);
    if (to > from) ranges.push([first + from, first + to]);
  }
  return ranges;
}

/**
 * The images that a rectangle touches.
 * @param {Layout} grid
 * @param {{left: number, top: number, right: number, bottom: number}} box
 */
export function within(grid, { left, top, right, bottom }) {
  const found = [];
  for (const [from, to] of visible(grid, top, bottom)) {
    for (let index = from; index < to; index++) {
      const at = place(grid, index);
      if (at && at.x <= right && at.x + grid.wide >= left && at.y <= bottom && at.y + grid.high >= top) {
        found.push(index);
      }
    }
  }
  return found;
}

/**
 * Where a key leads from an image.
 * @param {Layout} grid
 * @param {number} index
 * @param {string} key as a KeyboardEvent names it
 * @param {number} page how many lines fit the window
 */
export function step(grid, index, key, page = 1) {
  const sections = grid.sections.filter(({ shown }) => shown > 0);
  if (sections.length === 0) return 0;
  const last = sections[sections.length - 1];
  if (key === "Home") return sections[0].first;
  if (key === "End") return last.first + last.shown - 1;
  let at = sectionOf(sections, index);
  if (at < 0) return sections[0].first;
  let offset = Math.min(index - sections[at].first, sections[at].shown - 1);
  const sideways = { ArrowLeft: -1, ArrowRight: 1 }[key];
  if (sideways) {
    offset += sideways;
    if (offset < 0) return at === 0 ? index : sections[at - 1].first + sections[at - 1].shown - 1;
    if (offset >= sections[at].shown) return sections[at + 1]?.first ?? index;
    return sections[at].first + offset;
  }
  const lines = { ArrowUp: -1, ArrowDown: 1, PageUp: -page, PageDown: page }[key] ?? 0;
  const column = offset % grid.columns;
  let line = Math.floor(offset / grid.columns);
  for (let left = Math.abs(lines); left > 0; left--) {
    line += Math.sign(lines);
    if (line < 0) {
      if (at === 0) return column;
      at -= 1;
      line = Math.ceil(sections[at].shown / grid.columns) - 1;
    } else if (line * grid.columns >= sections[at].shown) {
      if (at === sections.length - 1) return sections[at].first + sections[at].shown - 1;
      at += 1;
      line = 0;
    }
  }
  return sections[at].first + Math.min(line * grid.columns + column, sections[at].shown - 1);
}
