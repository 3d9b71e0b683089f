/** All that was done, the latest first, and the way back to any point. */

/** @import {App, Entry} from "./types.js" */
import { get, why } from "./api.js";
import { commandButton, refreshButtons } from "./bar.js";
import { button, byId, closeButton, el } from "./dom.js";
import { appears } from "./seen.js";
import { clock, counted } from "./words.js";

/** @param {App} app */
export function showHistory(app) {
  const panel = byId("history");
  const list = byId("entries");
  panel.querySelector(".history-head")?.append(
    commandButton(app, "undo"), commandButton(app, "redo"),
    closeButton("Close the history", () => app.store.set({ history: false })));
  let shown = "";

  /** @param {Entry} entry @param {boolean} last */
  function line({ n, time, says, undone }, last) {
    const when = el("time", { datetime: time, text: clock(time) });
    const back = undone || last ? null : button("Go back to here", () => void app.act({ op: "undo_to", entry: n }), { title: "Undo all that came after it" });
    const state = undone ? el("span", { class: "soft", text: "undone" }) : last ? el("span", { class: "soft", text: "now" }) : null;
    return el("li", { class: undone ? "undone" : "" }, el("p", { text: says }), el("div", {}, when, state, back));
  }

  const contrary = el("ul", { class: "conflicts" });
  list.before(contrary);
  let told = "";
  app.store.on(["state"], ({ state: { conflicts } }) => {
    if (told === conflicts.join("\n")) return;
    told = conflicts.join("\n");
    contrary.replaceChildren(...conflicts.map((text) => el("li", { text })));
    notice(conflicts);
  });

  /** Where the person and a new result differ is said until it is settled, or read. @param {string[]} conflicts */
  function notice(conflicts) {
    const box = byId("contrary");
    const all = conflicts.join("\n");
    box.hidden = all === "" || app.kept.draft("read") === all;
    const text = conflicts.length === 1 ? conflicts[0] : `What you said and the new result differ in ${counted(conflicts.length, "place")}.`;
    const show = conflicts.length === 1 ? null : button("Show them", () => app.store.set({ history: true }));
    box.replaceChildren(...[el("p", { text }), show, closeButton("Close", () => { app.kept.type("read", all); box.hidden = true; })].filter((one) => one !== null));
  }

  app.store.on(["history", "state", "back"], async ({ history, state }) => {
    panel.hidden = !history;
    refreshButtons(panel, app.store.get());
    if (!history || shown === `${state.version}`) return;
    try {
      /** @type {{entries: Entry[]}} */
      const { entries } = await get("/api/history");
      shown = `${state.version}`;
      const latest = entries.findLast(({ undone }) => !undone);
      appears(list);
      list.replaceChildren(...entries.reverse().map((entry) => line(entry, entry === latest)));
      if (entries.length === 0) list.append(el("li", { class: "soft", text: "Nothing was done yet." }));
    } catch (error) {
      list.querySelector(".missing")?.remove();
      list.prepend(el("li", { class: "soft missing", text: `What was done last cannot be shown. ${why(error)}` }));
    }
  });
}
