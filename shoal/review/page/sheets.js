/** Thumbnails: what is shown is asked for, many images in one sheet, and each image once. */

const BATCH = 64; // images a sheet
const SHEETS = 600; // that are remembered
const AT_ONCE = 3; // a browser has six connections, and actions need some

/**
 * @typedef {{url: string, image: HTMLImageElement, column: number, line: number, columns: number,
 *   lines: number}} Place of a thumbnail on its sheet
 */

/**
 * @param {readonly number[]} rows
 * @param {number} size
 */
export function batches(rows, size = BATCH) {
  const parts = [];
  for (let i = 0; i < rows.length; i += size) parts.push(rows.slice(i, i + size));
  return parts;
}

/**
 * Where the thumbnail at this place of a sheet is.
 * @param {number} at
 * @param {number} n how many the sheet has
 * @param {number} widest how many a line has at most
 */
export function placeOnSheet(at, n, widest) {
  const columns = Math.min(n, widest);
  return { column: at % columns, line: Math.floor(at / columns), columns, lines: Math.ceil(n / columns) };
}

/**
 * @param {{columns: number}} sheets as the server says it
 * @param {{load?: (url: string) => Promise<HTMLImageElement>, soon?: (run: () => void) => unknown}} [parts]
 */
export function createSheets({ columns }, { load = loadImage, soon = (run) => setTimeout(run, 30) } = {}) {
  /** @type {Map<number, Place>} */
  const known = new Map();
  /** @type {Map<number, Set<HTMLElement>>} */
  const wanted = new Map();
  /** @type {Set<number>} */
  const asked = new Set();
  /** @type {number[][]} */
  const loaded = [];
  /** @type {Set<() => void>} */
  const listeners = new Set();
  let due = false;
  let loading = 0;

  /** @param {HTMLElement} element @param {Place} place */
  function paint(element, { url, column, line, columns: wide, lines: high }) {
    const { style } = element;
    style.backgroundImage = `url("${url}")`;
    style.backgroundSize = `${wide * 100}% ${high * 100}%`;
    const x = wide > 1 ? (column / (wide - 1)) * 100 : 0;
    const y = high > 1 ? (line / (high - 1)) * 100 : 0;
    style.backgroundPosition = `${x}% ${y}%`;
    element.classList.remove("waiting");
  }

  /** An image is no longer shown here. @param {HTMLElement} element */
  function forget(element) {
    const row = Number(element.dataset.picture);
    const elements = wanted.get(row);
    if (elements?.delete(element) && elements.size === 0) wanted.delete(row);
    delete element.dataset.picture;
  }

  function request() {
    due = false;
    const missing = [...wanted.keys()].filter((row) => !known.has(row) && !asked.has(row));
    for (const rows of batches(missing).slice(0, AT_ONCE - loading)) void fetchSheet(rows);
  }

  /** @param {number[]} rows */
  async function fetchSheet(rows) {
    loading += 1;
    for (const row of rows) asked.add(row);
    let came = true;
    const url = `/sheet.webp?rows=${rows.join(",")}`;
    try {
      const image = await load(url);
      rows.forEach((row, i) => known.set(row, { url, image, ...placeOnSheet(i, rows.length, columns) }));
      loaded.push(rows);
      for (const row of rows) {
        const place = known.get(row);
        if (!place) continue;
        for (const element of wanted.get(row) ?? []) {
          if (element.dataset.picture === String(row)) paint(element, place);
        }
        wanted.delete(row);
      }
      while (loaded.length > SHEETS) for (const row of loaded.shift() ?? []) known.delete(row);
      for (const run of listeners) run();
    } catch {
      came = false; // the server is gone: asked again when it is back
    }
    for (const row of rows) asked.delete(row);
    loading -= 1;
    if (came && wanted.size > 0) askSoon();
  }

  function askSoon() {
    if (due) return;
    due = true;
    soon(request);
  }

  return {
    /**
     * Show an image in an element, as soon as it is here.
     * @param {HTMLElement} element
     * @param {number} row
     */
    show(element, row) {
      if (element.dataset.picture === String(row)) return;
      forget(element);
      element.dataset.picture = String(row);
      const place = known.get(row);
      if (place) return paint(element, place);
      element.style.backgroundImage = "";
      element.classList.add("waiting");
      const elements = wanted.get(row) ?? new Set();
      elements.add(element);
      wanted.set(row, elements);
      askSoon();
    },

    forget,

    /** Whether an image is here. @param {number} row */
    has: (row) => known.has(row),

    /** Where a thumbnail is, for a canvas; null until it is here. @param {number} row */
    find(row) {
      const place = known.get(row) ?? null;
      if (!place && !wanted.has(row)) {
        wanted.set(row, new Set());
        askSoon();
      }
      return place;
    },

    /** Ask anew for what did not come. */
    retry: askSoon,

    /** @param {() => void} run called when thumbnails have come */
    onLoad: (run) => void listeners.add(run),
  };
}

/** @param {string} url @returns {Promise<HTMLImageElement>} */
async function loadImage(url) {
  const image = new Image();
  image.src = url;
  await image.decode();
  return image;
}
