/** An image shown large: what it is called, where it is, how sure that is, what is like it, a note. */

/** @import {App, Facts, Model} from "./types.js" */
import { get } from "./api.js";
import { commandButton, refreshButtons } from "./bar.js";
import { button, closeButton, el } from "./dom.js";
import { dotOf, paletteOf } from "./palette.js";
import { percent, titleIn } from "./words.js";

const LARGEST = 16; // pixels on the screen for one of the image

/** @param {App} app */
export function showImageView(app) {
  const { store } = app;
  const picture = el("img", { alt: "", onload: () => {
    picture.style.maxWidth = `${picture.naturalWidth * LARGEST}px`;
    picture.style.maxHeight = `${picture.naturalHeight * LARGEST}px`;
  } });
  const id = el("p", { class: "image-id", tabindex: "0" });
  const facts = el("p", { class: "image-facts" });
  const note = el("textarea", { id: "note", rows: 2, placeholder: "A note on this image", "aria-label": "Note", maxlength: 2000 });
  const save = button("Save the note", () => void keepNote());
  const like = el("div", { class: "neighbours" });
  const bar = el("div", { class: "image-actions" }, ...["before", "after", "confirm", "move", "new", "reject"].map((one) => commandButton(app, one)));
  const close = closeButton("Close", () => store.set({ open: null }));
  const view = el("dialog", { class: "image", "aria-label": "An image" },
    el("div", { class: "image-large" }, picture),
    el("div", { class: "image-side" }, el("div", { class: "image-head" }, id, close), facts, bar, el("h3", { text: "Images like it" }), like, el("div", { class: "noting" }, note, save)));
  document.body.append(view);
  /** @type {Facts | null} */
  let known = null;
  /** @type {Map<number, string>} what was typed and not saved, by row */
  const drafts = new Map();

  async function keepNote() {
    if (!known) return;
    const of = known;
    const { row, note: before } = of;
    const text = note.value.trim();
    if (text === (before ?? "")) return;
    of.note = text; // before the answer: a key or button that saves the note also leaves its field
    if (await app.act({ op: "note", row, text })) drafts.delete(row);
    else of.note = before;
  }
  note.addEventListener("input", () => { if (known) drafts.set(known.row, note.value); });
  note.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" && !(event.key === "Enter" && (event.ctrlKey || event.metaKey))) return;
    event.preventDefault();
    event.stopPropagation();
    if (event.key === "Enter") void keepNote();
    close.focus();
  });
  note.addEventListener("change", () => void keepNote());
  view.addEventListener("cancel", (event) => event.preventDefault()); // Escape is a command
  view.addEventListener("click", (event) => { if (event.target === view) store.set({ open: null }); });

  /** @param {number} row */
  function neighbour(row) {
    const shown = el("span", { class: "picture" });
    app.sheets.show(shown, row);
    const { labels } = store.get();
    const group = labels?.group[row];
    const made = el("button", { type: "button", class: "large", "aria-label": group === undefined ? "An image like it" : `An image like it, in ${titleIn(store.get().state, group)}`, onclick: () => store.set({ open: row }) }, shown);
    if (group !== undefined) made.style.borderColor = paletteOf(group);
    return made;
  }

  /** @param {Model} model */
  function describe({ state, labels }) {
    if (!known) return;
    const { row, confidence } = known;
    const group = labels?.version === state.version ? labels.group[row] : known.group;
    const decided = labels?.version === state.version ? Boolean(labels.decided[row]) : known.decided;
    facts.replaceChildren(dotOf(group), `${titleIn(state, group)}, ${decided ? "decided by you" : `${percent(confidence)} sure`}`);
  }

  let asked = "";
  store.on(["open", "state", "labels", "server"], async (model) => {
    const { open, state } = model;
    if (open === null) {
      asked = "";
      known = null;
      if (view.open) view.close();
      return;
    }
    refreshButtons(bar, model);
    describe(model);
    if (!view.open) {
      view.showModal();
      close.focus();
    }
    const key = `${open} ${state.version}`;
    if (asked === key) return;
    const another = !asked.startsWith(`${open} `);
    asked = key;
    if (another) {
      picture.src = `/image/${open}`;
      id.textContent = "";
      known = null;
    }
    try {
      /** @type {Facts} */
      const said = await get(`/api/image/${open}`);
      if (asked !== key) return;
      known = said;
      id.textContent = said.id;
      picture.alt = said.id;
      if (document.activeElement !== note) note.value = drafts.get(said.row) ?? said.note ?? "";
      if (another) like.replaceChildren(...said.neighbours.map(neighbour));
      describe(store.get());
    } catch {
      if (asked === key) asked = "";
    }
  });
}
