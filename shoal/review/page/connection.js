/** Whether the server is there: heard through its events; asked again and again while it is gone. */

/** @import {Store} from "./types.js" */
import { get, listen, Refused } from "./api.js";
import { byId } from "./dom.js";
import { received } from "./model.js";
import { counted } from "./words.js";

const FIRST = 500; // milliseconds until the first new attempt
const LONGEST = 5000;

/** @param {Store} store @param {() => void} onBack */
export function createConnection(store, onBack) {
  /** @type {Set<() => void>} */
  let waiting = new Set();
  let trying = false;

  /** @type {EventSource | null} */
  let events = null;
  function hear() {
    events?.close();
    events = listen(onVersion, lost);
  }

  /** @param {number} version */
  async function onVersion(version) {
    if (version === store.get().state.version) return;
    try {
      store.set(received(store.get(), await get("/api/state")));
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
      store.set({ ...received(store.get(), state), server: "here" });
      hear();
      for (const run of waiting) run();
      waiting = new Set();
      onBack();
    } catch (error) {
      store.set({ server: error instanceof Refused && [401, 403].includes(error.status) ? "refused" : "gone" });
      setTimeout(() => attempt(Math.min(LONGEST, pause * 1.6)), pause);
    }
  }

  hear();
  // A browser opens six connections to a server: a page that nobody sees keeps none.
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) events?.close();
    else if (!trying && events?.readyState === EventSource.CLOSED) hear();
  });
  const banner = byId("banner");
  store.on(["server", "waiting"], ({ server, waiting: n }) => {
    banner.hidden = server === "here";
    const kept = n > 0 ? ` ${counted(n, "action")} will be sent when it is back.` : "";
    banner.textContent =
      server === "gone"
        ? `The server does not answer. Is “shoal review” still running? This page tries again by itself; what you type stays.${kept}`
        : `The review was started anew. Open the address that “shoal review” printed.${n > 0 ? ` ${counted(n, "action")} could not be saved.` : ""}`;
  });

  return {
    lost,
    /** @returns {Promise<void>} */
    untilBack: () => new Promise((resolve) => void (trying ? waiting.add(resolve) : resolve())),
  };
}
