/** What the views show is asked for when it is needed, and again when it has changed. */

/** @import {App, Model} from "./types.js" */
import { get, labels, why } from "./api.js";
import { followQuestion } from "./asked.js";
import { kept } from "./selection.js";
import { counted } from "./words.js";

const LATER = 1000; // milliseconds until divisions that are not ready are asked for again

/** @param {App} app */
export function loadWhatIsShown(app) {
  const { store } = app;
  /** @type {Record<string, string>} */
  const asked = {};

  /**
   * Ask once for each key; what comes too late for its key is dropped.
   * @template T
   * @param {string} what
   * @param {string} key
   * @param {() => Promise<T>} ask
   * @param {(value: T) => void} use
   */
  async function once(what, key, ask, use) {
    if (asked[what] === key) return;
    asked[what] = key;
    try {
      const value = await ask();
      if (asked[what] !== key) return;
      const { [what]: _, ...failed } = store.get().failed;
      store.set({ failed });
      use(value);
    } catch (error) {
      if (asked[what] !== key) return;
      asked[what] = "";
      store.set({ failed: { ...store.get().failed, [what]: why(error) }, ...(what === "members" ? { loading: false } : {}) });
    }
  }

  /** What was selected, and went elsewhere by what another tab did. @param {number} n */
  function deselected(n) {
    const { state, mine } = store.get();
    if (n > 0 && state.version !== mine) app.say(`${counted(n, "selected image")} went to ${n === 1 ? "another group" : "other groups"} meanwhile, and ${n === 1 ? "is" : "are"} not selected any more.`);
  }

  /** @param {Model} model */
  function members({ view, group, order, like, tab, state, members: shown }) {
    if (view !== "groups" || group === null) return;
    // Nothing of another group stands below the name of this one, and nothing of it stays selected.
    if (shown && shown.group !== group) {
      if (tab !== "map") deselected(state.groups.some(({ id }) => id === shown.group) ? 0 : store.get().selected.size);
      store.set({ members: null, cursor: 0, ...(tab === "map" ? {} : { selected: new Set() }) });
    }
    if (!state.groups.some(({ id }) => id === group)) return;
    const sorted = tab === "parts" ? "part" : order;
    const query = sorted === "like" ? `order=like&row=${like}` : `order=${sorted}`;
    const path = `/api/group/${group}?${query}`;
    if (asked.members !== `${path} ${state.version}`) store.set({ loading: true });
    void once("members", `${path} ${state.version}`, () => get(path), ({ version, rows, parts }) => {
      const { selected, cursor, tab: now } = store.get();
      const left = now === "map" ? selected : kept(selected, rows);
      deselected(selected.size - left.size);
      store.set({
        loading: false,
        members: { group, order: sorted, version, rows, parts },
        cursor: Math.max(0, Math.min(cursor, rows.length - 1)),
        selected: left,
      });
    });
  }

  store.on(["view", "group", "order", "like", "tab", "state", "back"], members);
  store.on(["view", "state", "back"], ({ view, state, pile }) => {
    if (view !== "groups") return;
    void once("labels", String(state.version), () => labels(pile.n), (value) => store.set({ labels: value }));
  });
  followQuestion(app, (key, ask) => once("question", key, ask, () => {}));
  /** @param {Model} model */
  function divisions({ view, state }) {
    if (view !== "divisions") return;
    void once("divisions", String(state.version), () => get("/api/divisions"), (value) => {
      store.set({ divisions: value });
      if (value.ready) return;
      setTimeout(() => {
        asked.divisions = "";
        divisions(store.get());
      }, LATER);
    });
  }
  store.on(["view", "state", "back"], divisions);
}
