/**
 * What was said and is not at the server yet, and notes that were typed and not said: the browser
 * keeps both, under the pile's identity, for as long as it takes.
 */

/** @import {Act} from "./types.js" */

/** @typedef {Pick<Storage, "getItem" | "setItem" | "removeItem" | "key" | "length">} Box */
/** @typedef {Act & {act: string}} Named an action with a name that no other has */

/**
 * @typedef {object} Kept
 * @property {(act: Named) => void} add with what it does in words, as it was then
 * @property {(act: Named) => void} done it is at the server, or refused
 * @property {() => Promise<Named[]>} left those that no open page is about to send, the oldest first
 * @property {() => Named[]} own those of this page
 * @property {(acts: Named[]) => void} take another page's, at another address, are this page's now
 * @property {(what: string) => string | null} draft
 * @property {(what: string, text: string | null) => void} type null: it is said, or thrown away
 */

/**
 * @param {string} pile
 * @param {object} [parts]
 * @param {Box} [parts.box]
 * @param {string} [parts.page] a name that no other open page has
 * @param {() => Promise<string[]>} [parts.open] the names of the pages that are open
 * @param {() => number} [parts.now]
 * @returns {Kept}
 */
export function createKept(pile, { box = storage(), page = crypto.randomUUID(), open = openPages(page), now = () => Date.now() } = {}) {
  const acts = `shoal unsent ${pile} `;
  const drafts = `shoal draft ${pile} `;
  let said = 0;

  /** @param {string} name @param {string} text */
  function put(name, text) {
    try {
      box.setItem(name, text);
    } catch {
      // It is full, or not allowed: the action is sent as long as this page is open.
    }
  }

  /** @returns {{page: string, at: [number, number], act: Named}[]} */
  function all() {
    const found = [];
    for (let i = 0; i < box.length; i++) {
      const name = box.key(i) ?? "";
      if (!name.startsWith(acts)) continue;
      try {
        found.push(JSON.parse(box.getItem(name) ?? ""));
      } catch {
        // Not of this page.
      }
    }
    return found.sort((a, b) => a.at[0] - b.at[0] || a.at[1] - b.at[1]);
  }

  /** @param {Named} act */
  const add = (act) => put(acts + act.act, JSON.stringify({ page, at: [now(), said++], act }));

  return {
    add,
    done: (act) => box.removeItem(acts + act.act),
    async left() {
      const pages = new Set(await open());
      return all().filter((one) => !pages.has(one.page)).map((one) => one.act);
    },
    own: () => all().filter((one) => one.page === page).map((one) => one.act),
    take: (given) => given.forEach((act) => put(acts + act.act, JSON.stringify({ page: "", at: [now(), said++], act }))),
    draft: (what) => box.getItem(drafts + what),
    type: (what, text) => (text === null ? box.removeItem(drafts + what) : put(drafts + what, text)),
  };
}

/** The browser's store; where it has none for this page, one that lasts as long as the page. @returns {Box} */
function storage() {
  try {
    return localStorage;
  } catch {
    /** @type {Map<string, string>} */
    const here = new Map();
    return {
      get length() { return here.size; },
      key: (i) => [...here.keys()][i] ?? null,
      getItem: (name) => here.get(name) ?? null,
      setItem: (name, text) => void here.set(name, text),
      removeItem: (name) => void here.delete(name),
    };
  }
}

/**
 * A page holds a lock by its name for as long as it is open. One that was left is not, though the
 * browser may keep it for the way back.
 * @param {string} page
 */
function openPages(page) {
  const locks = navigator.locks;
  /** @type {(value?: unknown) => void} */
  let leave = () => {};
  const hold = () => new Promise((/** @type {(value: null) => void} */ resolve) => {
    if (!locks) resolve(null);
    else void locks.request(`shoal page ${page}`, () => { resolve(null); return new Promise((left) => { leave = left; }); });
  });
  let held = hold();
  addEventListener("pagehide", () => leave());
  addEventListener("pageshow", ({ persisted }) => { if (persisted) held = hold(); });
  return async () => {
    await held;
    const { held: names = [] } = locks ? await locks.query() : {};
    return [page, ...names.map(({ name = "" }) => name.replace("shoal page ", ""))];
  };
}

/**
 * The address of the same review at another port, with what is to be said there. What comes after
 * the # stays in the browser.
 * @param {string} typed as the terminal printed it
 * @param {string} pile
 * @param {Named[]} acts
 * @returns {string | null} null where it is no address of a review on this machine
 */
export function addressWith(typed, pile, acts) {
  let url;
  try {
    url = new URL(typed.trim());
  } catch {
    return null;
  }
  if (url.protocol !== "http:" || !["127.0.0.1", "localhost", "[::1]"].includes(url.hostname)) return null;
  url.hash = `unsent=${encodeURIComponent(JSON.stringify({ pile, acts }))}`;
  return url.href;
}

/**
 * What an address brought from another page of this pile.
 * @param {string} hash
 * @param {string} pile
 * @returns {Named[]}
 */
export function brought(hash, pile) {
  if (!hash.startsWith("#unsent=")) return [];
  try {
    const said = JSON.parse(decodeURIComponent(hash.slice("#unsent=".length)));
    return said.pile === pile && Array.isArray(said.acts) ? said.acts.filter((/** @type {any} */ act) => typeof act?.op === "string" && typeof act?.act === "string") : [];
  } catch {
    return [];
  }
}
