/** Whether the server is there: heard through its events; asked again and again while it is gone. */

/** @import {Store} from "./types.js" */
/** @import {Kept} from "./kept.js" */
import { CLOSED, get, listen, Refused, whenGone } from "./api.js";
import { button, byId, el } from "./dom.js";
import { addressWith } from "./kept.js";
import { received } from "./model.js";
import { counted } from "./words.js";

const FIRST = 500; // milliseconds until the first new attempt
const LONGEST = 5000;

/** @param {Store} store @param {Kept} kept @param {() => void} onBack */
export function createConnection(store, kept, onBack) {
  /** @type {Set<() => void>} */
  let waiting = new Set();
  let trying = false;

  /** @type {EventSource | null} */
  let events = null;
  function hear() {
    events?.close();
    events = listen(onNews, lost);
  }

  /** @type {(() => void)[]} */
  let held = [];
  /**
   * What an action of this page made of the open group is said in its answer only. News of it that
   * are faster would open another group, which the next key would be about: they wait.
   * @param {() => void} use
   */
  function whenAnswered(use) {
    held.push(use);
    release(store.get());
  }
  /** While the disk is full no answer is on its way. @param {{waiting: number, full: string}} model */
  function release({ waiting: n, full }) {
    if (n > 0 && full === "") return;
    const now = held;
    held = [];
    for (const use of now) use();
  }
  store.on(["waiting", "full"], release);

  /** @param {number} version @param {boolean} estimated */
  async function onNews(version, estimated) {
    const { state } = store.get();
    if (version === state.version && estimated === state.estimated) return;
    try {
      const news = await get("/api/state"); // what the page shows may change meanwhile
      whenAnswered(() => store.set(received(store.get(), news)));
    } catch {
      lost();
    }
  }

  function lost() {
    if (trying) return;
    trying = true;
    void attempt(FIRST);
  }

  /** @param {number} pause */
  async function attempt(pause) {
    try {
      const state = await get("/api/state");
      trying = false;
      store.set({ ...received(store.get(), state), server: "here", back: store.get().back + 1 });
      hear();
      for (const run of waiting) run();
      waiting = new Set();
      onBack();
    } catch (error) {
      store.set({ server: error instanceof Refused && CLOSED.includes(error.status) ? "refused" : "gone" });
      setTimeout(() => attempt(Math.min(LONGEST, pause * 1.6)), pause);
    }
  }

  whenGone(lost);
  hear();
  // A browser opens six connections to a server: a page that nobody sees keeps none.
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) events?.close();
    else if (!trying && events?.readyState === EventSource.CLOSED) hear();
  });
  const banner = byId("banner");
  const text = el("span", {});
  const field = el("input", { type: "text", autocomplete: "off", spellcheck: "false", placeholder: "127.0.0.1:…/?token=…", "aria-label": "The address that shoal review printed" });
  const elsewhere = el("form", { class: "elsewhere", onsubmit: (/** @type {Event} */ event) => {
    event.preventDefault();
    const address = addressWith(field.value, store.get().pile.identity, kept.own());
    if (!address) return void (wrong.textContent = "This is not an address of a review on this computer.");
    window.dispatchEvent(new Event("shoal-leave")); // nothing is lost: it goes along
    return location.assign(address);
  } }, el("span", { text: "Is it at another address now?" }), field, button("Go there with them", () => elsewhere.requestSubmit()));
  const wrong = el("span", {});
  elsewhere.append(wrong);
  banner.append(text, elsewhere);
  store.on(["server", "waiting", "full"], ({ server, waiting: n, full }) => {
    banner.hidden = server === "here" && full === "";
    elsewhere.hidden = n === 0 || server === "here";
    const [actions, them] = [counted(n, "action"), n === 1 ? "it" : "them"];
    text.textContent =
      server === "here" ? `${full} ${actions} ${n === 1 ? "is" : "are"} not saved yet: this page keeps ${them}, and saves ${them} as soon as there is room.` : server === "gone"
        ? `The server does not answer. Is “shoal review” still running? This page tries again by itself; what you type stays.${n > 0 ? ` ${actions} will be saved when it is back, and this browser keeps ${them} until then.` : ""}`
        : `The review was started anew. Open the address that “shoal review” printed in this browser, and this page goes on.${n > 0 ? ` ${actions} will be saved then.` : ""}`;
  });

  return {
    lost,
    /** @returns {Promise<void>} */
    untilBack: () => new Promise((resolve) => void (trying ? waiting.add(resolve) : resolve())),
  };
}
