/** The map: from places to pixels and back, and what a lasso holds. */

/**
 * @typedef {{scale: number, x: number, y: number}} Camera pixels a unit, and the pixel of the origin
 * @typedef {{width: number, height: number}} Size
 */

/**
 * The camera that shows all places.
 * @param {Float32Array} xy
 * @param {Size} size
 * @param {number} [margin]
 * @returns {Camera}
 */
export function whole(xy, { width, height }, margin = 24) {
  let [left, right, top, bottom] = [Infinity, -Infinity, Infinity, -Infinity];
  for (let i = 0; i < xy.length; i += 2) {
    if (!Number.isFinite(xy[i]) || !Number.isFinite(xy[i + 1])) continue;
    left = Math.min(left, xy[i]);
    right = Math.max(right, xy[i]);
    top = Math.min(top, xy[i + 1]);
    bottom = Math.max(bottom, xy[i + 1]);
  }
  if (left > right) return { scale: 1, x: width / 2, y: height / 2 };
  const scale = Math.min((width - 2 * margin) / (right - left || 1), (height - 2 * margin) / (bottom - top || 1));
  return { scale, x: width / 2 - (scale * (left + right)) / 2, y: height / 2 - (scale * (top + bottom)) / 2 };
}

/**
 * Nearer or farther; what lies under (px, py) stays there.
 * @param {Camera} camera
 * @param {number} factor
 * @param {number} px
 * @param {number} py
 * @returns {Camera}
 */
export function zoomed({ scale, x, y }, factor, px, py) {
  return { scale: scale * factor, x: px - (px - x) * factor, y: py - (py - y) * factor };
}

/**
 * Whether a place is inside a line that closes itself.
 * @param {readonly (readonly [number, number])[]} line
 * @param {number} x
 * @param {number} y
 */
export function inside(line, x, y) {
  let within = false;
  for (let i = 0, j = line.length - 1; i < line.length; j = i, i += 1) {
    const [[x1, y1], [x2, y2]] = [line[i], line[j]];
    if (y1 > y !== y2 > y && x < ((x2 - x1) * (y - y1)) / (y2 - y1) + x1) within = !within;
  }
  return within;
}

/**
 * The rows inside a lasso, given in pixels.
 * @param {Float32Array} xy
 * @param {Camera} camera
 * @param {readonly (readonly [number, number])[]} line
 * @param {(row: number) => boolean} may
 */
export function lassoed(xy, { scale, x, y }, line, may) {
  const found = [];
  const xs = line.map(([px]) => px);
  const ys = line.map(([, py]) => py);
  const box = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  for (let row = 0; row < xy.length / 2; row++) {
    const px = xy[2 * row] * scale + x;
    const py = xy[2 * row + 1] * scale + y;
    if (px < box[0] || px > box[1] || py < box[2] || py > box[3]) continue;
    if (may(row) && inside(line, px, py)) found.push(row);
  }
  return found;
}

/**
 * The row nearest to a pixel, within a distance; -1 if there is none.
 * @param {Float32Array} xy
 * @param {Camera} camera
 * @param {number} px
 * @param {number} py
 * @param {number} within
 */
export function nearest(xy, { scale, x, y }, px, py, within) {
  let [best, least] = [-1, within * within];
  for (let row = 0; row < xy.length / 2; row++) {
    const far = (xy[2 * row] * scale + x - px) ** 2 + (xy[2 * row + 1] * scale + y - py) ** 2;
    if (far <= least) [best, least] = [row, far];
  }
  return best;
}
