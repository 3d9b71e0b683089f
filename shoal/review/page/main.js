/** The page: its parts are made and told of one another. */

/** @import {App, Model} from "./types.js" */
import { createAnnouncer } from "./announce.js";
import { get, post, Refused } from "./api.js";
import { showBar } from "./bar.js";
import { showGroups } from "./groups.js";
import { createConnection } from "./connection.js";
import { createKept } from "./kept.js";
import { showDivisions } from "./divisions.js";
import { byId } from "./dom.js";
import { showHistory } from "./history.js";
import { showImageView } from "./image_view.js";
import { listenToKeys } from "./keys.js";
import { loadWhatIsShown } from "./loading.js";
import { showMembers } from "./members.js";
import { address, addressed, opening, received, wentTo } from "./model.js";
import { speakOf, spoken } from "./noun.js";
import { createQueue } from "./queue.js";
import { showQuestion } from "./question.js";
import { dealt } from "./selection.js";
import { createSheets } from "./sheets.js";
import { nAnswered } from "./singles.js";
import { createStore } from "./store.js";
import { offerUnsent } from "./unsent.js";
import { described } from "./words.js";

async function start() {
  const [pile, state] = await Promise.all([get("/api/pile"), get("/api/state")]);
  speakOf(pile.noun);
  /** @type {Model} */
  const first = opening(pile, state);
  const from = addressed(location.hash);
  const store = createStore({ ...first, ...(from ? { ...from, group: from.group ?? first.group, pane: /** @type {const} */ ("members") } : {}) });
  store.set(received({ ...store.get() }, state)); // an address may name a group that is gone
  const sheets = createSheets(pile.sheets);
  const skip = document.querySelector(".skip");
  if (skip) skip.textContent = spoken`To the images`;
  const { style, dataset } = document.documentElement;
  style.setProperty("--aspect", `${pile.sheets.width} / ${pile.sheets.height}`);
  dataset.small = String(pile.sheets.width <= 16);

  const { say, settle } = createAnnouncer({ undo: () => void app.act({ op: "undo" }) });
  const kept = createKept(pile.identity);
  const connection = createConnection(store, kept, sheets.retry);
  const queue = createQueue({ post: ({ words: _, ...act }) => post(act), kept, onFull: (full) => store.set({ full }), onCount: (waiting) => store.set({ waiting }), onGone: connection.lost, untilBack: connection.untilBack });
  /** @type {App} */
  const app = {
    store, sheets, say, kept,
    async send(act) {
      const answer = await queue.send({ words: described(act, store.get().state), ...act });
      store.set({ ...received(store.get(), answer.state, wentTo(answer)), mine: answer.state.version });
      if (act.op === "learn") store.set({ slots: dealt(store.get().slots, store.get().state.groups) });
      settle();
      say(answer.says, ["undo", "undo_to", "redo"].includes(act.op) || !answer.entry ? "plain" : "done");
      return answer;
    },
    async act(act) {
      const { back } = store.get();
      try {
        return await app.send(act);
      } catch (error) {
        const reason = error instanceof Refused ? error.message : `That went wrong: ${String(error)}`;
        // Who said it while the server was gone has gone on since, and may not know what it was; and nothing typed is lost.
        say(store.get().back === back && !act.name && !act.text ? reason : `Not saved: ${described(act, store.get().state)}. ${reason}`, "wrong");
        return null;
      }
    },
  };
  store.on(["state"], ({ state: { version }, mine }) => { if (version !== mine) settle(); }); // done elsewhere
  await offerUnsent(app);
  loadWhatIsShown(app);
  showBar(app);
  showDivisions(app);
  showGroups(app);
  showMembers(app);
  showQuestion(app);
  showImageView(app);
  showHistory(app);
  listenToKeys(app);
  showViews(app);
  let leaves = false;
  window.addEventListener("shoal-leave", () => { leaves = true; });
  window.addEventListener("beforeunload", (event) => { if ((store.get().waiting > 0 || nAnswered(store.get().singles) > 0) && !leaves) event.preventDefault(); });
  document.documentElement.dataset.ready = "true";
}

/** One view at a time; the address names it, so that the browser's own way back works. @param {App} app */
function showViews({ store }) {
  let before = "";
  store.on(["view", "group"], (model) => {
    for (const view of ["divisions", "groups", "question"]) byId(view).hidden = view !== model.view;
    const hash = address(model);
    if (location.hash !== hash) history.pushState(null, "", hash);
    if (before && before !== model.view) byId(model.view === "groups" ? "tiles" : `${model.view}-title`).focus({ preventScroll: true });
    before = model.view;
  });
  window.addEventListener("popstate", () => {
    const to = addressed(location.hash);
    if (to) store.set({ ...to, ...received({ ...store.get(), ...to }, store.get().state), selected: new Set() });
  });
}

start().catch((error) => {
  byId("banner").hidden = false;
  byId("banner").textContent = error instanceof Refused ? error.message : "The server does not answer. Is “shoal review” still running? Load this page again when it is.";
});
