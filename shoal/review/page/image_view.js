/** An image shown large: what it is called, where it is, how sure that is, what is like it, a note. */

/** @import {App, Facts, Model} from "./types.js" */
import { get, why } from "./api.js";
import { commandButton, refreshButtons } from "./bar.js";
import { button, closeButton, el, whenLeft } from "./dom.js";
import { spoken } from "./noun.js";
import { dotOf, paletteOf } from "./palette.js";
import { appears } from "./seen.js";
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
  const note = el("textarea", { id: "note", rows: 2, placeholder: spoken`A note on this image`, "aria-label": "Note", maxlength: 2000 });
  const save = button("Save the note", () => void keepNote());
  const like = el("div", { class: "neighbours" });
  const bar = el("div", { class: "image-actions" }, ...["before", "after", "confirm", "move", "new", "reject"].map((one) => commandButton(app, one)));
  const close = closeButton("Close", () => store.set({ open: null }));
  const view = el("dialog", { class: "image", "aria-label": spoken`An image` },
    el("div", { class: "image-large" }, picture),
    el("div", { class: "image-side" }, el("div", { class: "image-head" }, id, close), facts, bar, el("h3", { text: spoken`Images like it` }), like, el("div", { class: "noting" }, note, save)));
  document.body.append(view);
  /** @type {Facts | null} */
  let known = null;
  /** @type {number | null} the image that the field is about */
  let noted = null;
  const saved = () => (known?.row === noted ? known?.note : null) ?? "";
  /** @param {number} row */
  const draftOf = (row) => `note ${row}`;

  async function keepNote() {
    const row = noted;
    const text = note.value.trim();
    if (row === null || text === saved()) return;
    if (!known && text === "") return; // what is there is not known
    const of = known;
    const before = of?.note ?? null;
    if (of) of.note = text; // before the answer: a key or button that saves the note also leaves its field
    if (await app.act({ op: "note", row, text })) app.kept.type(draftOf(row), null);
    else if (of) of.note = before;
  }

  /** The note stays as it was; what was typed can be had again. */
  function dropNote() {
    const [row, typed] = [noted, note.value];
    note.value = saved();
    if (row === null || typed.trim() === saved()) return;
    app.kept.type(draftOf(row), null);
    app.say("The note was not saved.", "plain", { label: "Bring it back", run: () => {
      app.kept.type(draftOf(row), typed);
      if (store.get().open === row) note.value = typed;
      else store.set({ open: row });
    } });
  }
  note.addEventListener("input", () => { if (noted !== null) app.kept.type(draftOf(noted), note.value); });
  note.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" && !(event.key === "Enter" && (event.ctrlKey || event.metaKey))) return;
    event.preventDefault();
    event.stopPropagation();
    if (event.key === "Enter") void keepNote();
    else dropNote();
    close.focus();
  });
  whenLeft(note, () => void keepNote());
  view.addEventListener("cancel", (event) => event.preventDefault()); // Escape is a command
  view.addEventListener("click", (event) => { if (event.target === view) store.set({ open: null }); });

  /** @param {number} row */
  function neighbour(row) {
    const shown = el("span", { class: "picture" });
    app.sheets.show(shown, row);
    const { labels } = store.get();
    const group = labels?.group[row];
    const made = el("button", { type: "button", class: "large", "aria-label": group === undefined ? spoken`An image like it` : spoken`An image like it, in ${titleIn(store.get().state, group)}`, onclick: () => store.set({ open: row }) }, shown);
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
  store.on(["open", "state", "labels", "back"], async (model) => {
    const { open, state } = model;
    if (open === null) {
      asked = "";
      known = noted = null;
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
    const another = noted !== open;
    asked = key;
    if (another) { // nothing of the image before stays
      picture.src = `/image/${open}`;
      appears(view, () => picture.complete);
      picture.alt = id.textContent = "";
      facts.replaceChildren("Loading…");
      like.replaceChildren();
      known = null;
      noted = open;
      note.value = app.kept.draft(draftOf(open)) ?? "";
    }
    try {
      /** @type {Facts} */
      const said = await get(`/api/image/${open}`);
      if (asked !== key) return;
      known = said;
      id.textContent = said.id;
      picture.alt = said.id;
      if (document.activeElement !== note) note.value = app.kept.draft(draftOf(said.row)) ?? said.note ?? "";
      if (like.children.length === 0) like.replaceChildren(...said.neighbours.map(neighbour));
      describe(store.get());
    } catch (error) {
      if (asked !== key) return;
      asked = "";
      if (!known) facts.replaceChildren(spoken`What is known of this image cannot be loaded. ${why(error)}`);
    }
  });
}
