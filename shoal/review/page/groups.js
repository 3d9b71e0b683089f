/** The list of groups: names, sizes, how much is decided, what is in them. */

/** @import {App, Group, Model} from "./types.js" */
import { commandButton, refreshButtons } from "./bar.js";
import { button, byId, el, keyHint, meter } from "./dom.js";
import { strip } from "./dialogs.js";
import { openGroup } from "./navigate.js";
import { dotOf } from "./palette.js";
import { listed, toggled } from "./selection.js";
import { count, counted, listing, percent, titleIn, titleOf } from "./words.js";

/** @param {App} app */
export function showGroups(app) {
  const { store } = app;
  const list = byId("group-list");
  const heading = el("h2", { text: "Groups" });
  const pick = el("span", { class: "soft" });
  const merge = commandButton(app, "merge"); // a narrow window shows no other beside the list
  byId("list-head").append(heading, pick, merge);
  /** @type {Map<number, {key: string, item: HTMLLIElement}>} */
  const items = new Map();

  /** @param {Group} group @param {number} key @returns {HTMLLIElement} */
  function item(group, key) {
    const tick = el("input", { type: "checkbox", tabindex: "-1", "aria-label": `Tick ${titleOf(group)}, to merge`, onchange: () => tickOne(group.id) });
    const done = group.size ? group.decided / group.size : 0;
    const open = el("button", { type: "button", class: "group", onclick: (/** @type {MouseEvent} */ event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) tickOne(group.id);
      else openGroup(app, group.id);
    }, ondblclick: () => byId("name").focus() },
      el("span", { class: "group-title" }, dotOf(group.id), el("span", { class: "name", text: titleOf(group) }), keyHint(key ? String(key) : "")),
      el("span", { class: "group-facts soft", text: `${counted(group.size, "image")}${group.decided ? `, ${group.decided === group.size ? "all" : percent(done)} decided` : ""}` }),
      meter(done), strip(app, group.sample, 7));
    return el("li", { "data-group": group.id }, tick, open);
  }

  /** @param {number} id */
  const tickOne = (id) => store.set({ picked: toggled(store.get().picked, id) });

  /** @param {Model} model */
  function draw({ state, slots }) {
    const focused = /** @type {HTMLElement | null} */ (document.activeElement?.closest("#group-list li"))?.dataset.group;
    const there = listed(slots, state.groups).map((group) => {
      const slot = slots.indexOf(group.id) + 1;
      const key = JSON.stringify([group, slot]);
      const old = items.get(group.id);
      if (old?.key === key) return old.item;
      const made = { key, item: item(group, slot) };
      items.set(group.id, made);
      return made.item;
    });
    const alive = new Set(state.groups.map(({ id }) => id));
    for (const id of items.keys()) if (!alive.has(id)) items.delete(id);
    const scrolled = list.scrollTop;
    list.replaceChildren(...there);
    list.scrollTop = scrolled;
    heading.textContent = counted(state.groups.filter(({ nowhere }) => !nowhere).length, "group");
    if (focused) /** @type {HTMLElement | null} */ (list.querySelector(`li[data-group="${focused}"] .group`))?.focus();
  }

  /** @param {Model} model */
  function mark({ group, picked }) {
    for (const [id, { item: line }] of items) {
      const open = /** @type {HTMLElement} */ (line.querySelector(".group"));
      if (id === group) open.setAttribute("aria-current", "true");
      else open.removeAttribute("aria-current");
      open.tabIndex = id === group ? 0 : -1; // one stop of the Tab key; arrow keys go on from there
      /** @type {HTMLInputElement} */ (line.querySelector("input")).checked = picked.has(id);
      line.classList.toggle("picked", picked.has(id));
    }
    pick.textContent = picked.size ? `${count(picked.size)} ticked` : "";
  }

  let before = store.get();
  store.on(["state", "picked"], (model) => {
    const { state, mine } = model;
    const gone = [...before.picked].filter((id) => !state.groups.some((group) => group.id === id));
    if (gone.length > 0 && state.version !== mine) app.say(`${listing(gone.map((id) => titleIn(before.state, id)))} ${gone.length === 1 ? "is" : "are"} no more, and not ticked.`);
    before = model;
  });
  store.on(["state", "slots"], (model) => { draw(model); mark(model); });
  store.on(["group", "picked"], mark);
  store.on(["view", "group", "picked", "open"], (model) => {
    merge.hidden = model.picked.size < 2;
    refreshButtons(byId("list-head"), model);
  });
  store.on(["group"], () => list.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" }));

  list.addEventListener("keydown", (event) => {
    const line = /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest("li"));
    if (!line || event.altKey || event.ctrlKey || event.metaKey) return;
    const beside = { ArrowDown: line.nextElementSibling, ArrowUp: line.previousElementSibling }[event.key];
    if (event.key === " ") tickOne(Number(line.dataset.group));
    else if (event.key.startsWith("Arrow")) /** @type {HTMLElement | null | undefined} */ (beside?.querySelector(".group"))?.focus();
    else return;
    event.preventDefault();
  });
}

/** Back to the list, in a narrow window. @param {App} app */
export const toList = (app) => button("All groups", () => app.store.set({ pane: "list" }), { class: "to-list" });
