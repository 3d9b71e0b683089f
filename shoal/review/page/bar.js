/** The bar at the top, the actions at the bottom: views, progress, whether all is saved, buttons. */

/** @import {App, Model} from "./types.js" */
import { BAR, commandOf } from "./commands.js";
import { button, byId, el } from "./dom.js";
import { written } from "./help.js";
import { targets } from "./model.js";
import { inNoun, spoken } from "./noun.js";
import { areAsked } from "./singles.js";
import { counted, progress, savedText } from "./words.js";

/**
 * The button of a command.
 * @param {App} app
 * @param {string} id
 * @param {string} [kind]
 */
export function commandButton(app, id, kind = "") {
  const command = commandOf(id);
  const made = button(inNoun(command.label(app.store.get())), () => void command.run(app, command.keys[0]), { key: written(command.keys[0]), class: kind, title: inNoun(command.help) });
  made.dataset.command = id;
  return made;
}

/** @type {Set<HTMLElement>} */
const below = new Set();
const measured = typeof ResizeObserver === "undefined" ? null : new ResizeObserver(() => {
  for (const bar of below) if (!bar.isConnected) below.delete(bar);
  const { style } = document.documentElement;
  style.setProperty("--bar", `${/** @type {HTMLElement | null} */ (document.querySelector("header.bar"))?.offsetHeight ?? 0}px`);
  style.setProperty("--actions", `${Math.max(0, ...[...below].map((bar) => bar.offsetHeight))}px`);
});

/** A bar of buttons at the bottom, which what is said does not cover. @param {HTMLElement} bar */
export function standsBelow(bar) {
  below.add(bar);
  measured?.observe(bar);
}

/** Labels and whether it can be done, as things are now. @param {Element} root @param {Model} model */
export function refreshButtons(root, model) {
  for (const made of /** @type {NodeListOf<HTMLButtonElement>} */ (root.querySelectorAll("button[data-command]"))) {
    const command = commandOf(String(made.dataset.command));
    made.disabled = !command.when(model);
    const label = made.querySelector("span");
    const text = inNoun(command.label(model));
    if (label && label.textContent !== text) label.textContent = text;
  }
}

/** @param {App} app */
export function showBar(app) {
  const { store } = app;
  const title = store.get().pile.title;
  byId("title").textContent = title;
  byId("title").title = title;

  const views = byId("views");
  views.append(...["divisions", "groups", "question"].map((id) => commandButton(app, id)));
  store.on(["view", "open"], (model) => {
    for (const made of views.querySelectorAll("button")) {
      if (made.dataset.command === model.view) made.setAttribute("aria-current", "page");
      else made.removeAttribute("aria-current");
    }
    document.title = `${{ divisions: "Divisions", groups: "Groups", question: "Question" }[model.view]} · ${model.pile.title}`;
  });

  const tools = byId("tools");
  tools.append(...["undo", "redo", "history", "help"].map((id) => commandButton(app, id)));
  store.on(["state", "history", "view", "open", "singles"], (model) => {
    refreshButtons(tools, model);
    const undo = tools.querySelector("[data-command=undo]");
    const single = areAsked(model) ? model.singles?.said.at(-1) : undefined;
    undo?.setAttribute("title", single ? spoken`Take back what you said of image ${single.at + 1}` : model.state.undo ? `Undo: ${model.state.undo}` : "There is nothing to undo");
    tools.querySelector("[data-command=history]")?.setAttribute("aria-pressed", String(model.history));
    const bar = /** @type {HTMLProgressElement} */ (byId("progress"));
    bar.value = model.state.n_images ? model.state.n_decided / model.state.n_images : 0;
    byId("progress-text").textContent = progress(model.state);
  });
  store.on(["waiting", "server", "full"], ({ waiting, server, full }) => {
    byId("saved").textContent = savedText(waiting, server, full);
    byId("saved").dataset.state = waiting > 0 || server !== "here" ? "waiting" : "saved";
  });

  const actions = byId("actions");
  standsBelow(actions);
  // A narrow window has room for one row of them; the others come by this button.
  const more = button("More", () => { actions.classList.toggle("all"); fit(); }, { class: "more" });
  const fit = () => {
    const all = actions.classList.contains("all");
    more.hidden = !all && actions.scrollHeight <= actions.clientHeight + 4;
    more.textContent = all ? "Fewer" : "More";
    more.setAttribute("aria-expanded", String(all));
  };
  new ResizeObserver(fit).observe(actions);
  const chosen = el("span", { class: "chosen" });
  actions.append(chosen, ...BAR.groups.map((id) => commandButton(app, id)), more);
  store.on(["view", "selected", "picked", "open", "group", "tab", "state"], (model) => {
    refreshButtons(actions, model);
    const n = targets(model).length;
    chosen.textContent = n ? `${counted(n, "image")} selected` : spoken`No image selected`;
    actions.classList.toggle("some", n > 0);
    fit();
  });
}
