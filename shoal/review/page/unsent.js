/** What an earlier page could not save is shown, to be saved now or thrown away. */

/** @import {App} from "./types.js" */
/** @import {Named} from "./kept.js" */
import { button, byId, el } from "./dom.js";
import { brought } from "./kept.js";
import { counted, described } from "./words.js";

const LISTED = 5;

/** @param {App} app */
export async function offerUnsent(app) {
  const { kept, store } = app;
  const given = brought(location.hash, store.get().pile.identity);
  if (location.hash.startsWith("#unsent=")) history.replaceState(null, "", location.pathname);
  kept.take(given);
  const acts = await kept.left();
  const box = byId("unsent");
  box.hidden = acts.length === 0;
  if (acts.length === 0) return;
  const { state } = store.get();
  const lines = acts.slice(0, LISTED).map((act) => el("li", { text: described(act, state) }));
  if (acts.length > LISTED) lines.push(el("li", { text: `and ${counted(acts.length - LISTED, "more", "more")}` }));

  /** @param {(act: Named) => unknown} how */
  function each(how) {
    box.hidden = true;
    for (const act of acts) how(act);
    byId("main").focus({ preventScroll: true });
  }
  box.replaceChildren(
    el("p", { text: `${counted(acts.length, "action")} could not be saved before the server stopped:` }), el("ul", {}, ...lines),
    el("div", { class: "choice" }, button("Throw away", () => each(kept.done)), button("Save now", () => each((act) => void app.act(act)), { class: "main" })));
}
