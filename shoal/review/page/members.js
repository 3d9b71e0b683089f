/** One group: its name, how its images are shown, and in which order. */

/** @import {App, Model} from "./types.js" */
import { commandButton, refreshButtons } from "./bar.js";
import { toList } from "./groups.js";
import { byId, el, whenLeft } from "./dom.js";
import { createGrid } from "./grid.js";
import { createMap } from "./map.js";
import { presentGroup } from "./model.js";
import { orderBy } from "./navigate.js";
import { counted, percent, titleOf } from "./words.js";

/** @param {App} app */
export function showMembers(app) {
  const { store } = app;
  const head = byId("members-head");
  const name = el("textarea", { id: "name", rows: 1, class: "name-field", maxlength: 200, autocomplete: "off", spellcheck: "false", "aria-label": "Name of the group" });
  const facts = el("p", { class: "soft facts" });
  const note = el("p", { class: "group-note" });
  const order = el("select", { "aria-label": "Order", onchange: () => orderBy(app, order.value) },
    el("option", { value: "typical", text: "Typical first" }), el("option", { value: "doubtful", text: "Doubtful first" }), el("option", { value: "like", text: "Like the selected" }));
  const size = el("input", { type: "range", min: 64, max: 256, step: 16, value: store.get().tile, "aria-label": "Size of the thumbnails", oninput: () => store.set({ tile: Number(size.value) }) });
  const tabs = el("div", { class: "tabs", role: "group", "aria-label": "Show" }, ...["images", "parts", "map"].map((id) => commandButton(app, id)));
  head.append(el("div", { class: "members-title" }, toList(app), name, facts, note), el("div", { class: "members-tools" }, tabs, order, size));
  const [grid, map] = [byId("grid"), byId("map")];
  createGrid(app, grid);
  createMap(app, map);

  /** Which group the field is about, and what it was called when typing began. */
  let named = { id: -1, title: "" };
  async function rename() {
    const typed = name.value.replace(/\s+/g, " ").trim(); // it may have been pasted in lines
    const { id, title } = named;
    if (id <= 0 || typed === title) return;
    named = { id, title: typed };
    const answer = await app.act({ op: "name", group: id, name: typed });
    if (!answer) named = { id, title };
  }
  whenLeft(name, () => void rename());
  name.addEventListener("keydown", (event) => {
    if (event.key === "Escape") name.value = named.title;
    if (event.key === "Enter" || event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      void rename();
      name.blur(); // the tiles may be hidden, and then take no focus
      byId("tiles").focus({ preventScroll: true });
    }
  });

  /** The group that the field is about is no more: what is typed there names no other one. */
  function dropped() {
    const typed = name.value.trim();
    if (typed !== named.title) app.say(`“${typed}” was not saved: ${named.title || `Group ${named.id}`} is no more.`, "wrong");
    name.value = named.title;
    name.blur();
  }

  /** All of a name can be read, also where the browser does not see to it. */
  function fit() {
    if (CSS.supports("field-sizing", "content")) return;
    name.style.height = "auto";
    name.style.height = `${name.scrollHeight + 2}px`;
  }
  name.addEventListener("input", fit);
  new ResizeObserver(fit).observe(head);

  /** @param {Model} model */
  function draw(model) {
    const group = presentGroup(model);
    byId("groups").dataset.pane = model.pane;
    if (!group) return;
    const typing = document.activeElement === name && named.id === group.id;
    const title = group.name ?? "";
    if (document.activeElement === name && !model.state.groups.some(({ id }) => id === named.id)) dropped();
    if (!typing && model.waiting === 0) {
      named = { id: group.id, title };
      name.value = title;
    }
    fit();
    name.placeholder = titleOf({ ...group, name: null });
    name.readOnly = group.nowhere;
    const { size: n, decided } = group;
    const rest = decided < n ? `, about ${percent(group.expected)} sure of the rest` : "";
    note.textContent = group.note ?? "";
    facts.textContent = `${counted(n, "image")}, ${decided === n && n > 0 ? "all" : decided || "none"} decided${n ? rest : ""}`;
  }
  store.on(["state", "group", "pane", "waiting"], draw);

  store.on(["loading"], ({ loading }) => grid.setAttribute("aria-busy", String(loading)));
  store.on(["tab", "order", "view", "group", "pile"], (model) => {
    refreshButtons(tabs, model);
    for (const made of tabs.querySelectorAll("button")) made.setAttribute("aria-pressed", String(made.dataset.command === model.tab));
    order.value = model.order;
    order.hidden = model.tab !== "images";
    size.hidden = model.tab === "map";
    grid.hidden = model.tab === "map";
    map.hidden = model.tab !== "map";
  });
}
