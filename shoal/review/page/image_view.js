/** An image shown large: what it is called, where it is, how sure that is, what is like it, a note. */

/** @import {App, Facts, Model} from "./types.js" */
import { get, why } from "./api.js";
import { commandButton, refreshButtons } from "./bar.js";
import { button, closeButton, el, whenLeft } from "./dom.js";
import { spoken } from "./noun.js";
import { dotOf, paletteOf } from "./palette.js";
import { appears } from "./seen.js";
import { count, percent, titleIn } from "./words.js";

const LARGEST = 16; // pixels on the screen for one of the image

/** @param {App} app */
export function showImageView(app) {
  const { store } = app;
  const picture = el("img", { alt: "", onerror: missing, onload: () => {
    come(true);
    picture.style.maxWidth = `${picture.naturalWidth * LARGEST}px`;
    picture.style.maxHeight = `${picture.naturalHeight * LARGEST}px`;
  } });
  const [thumbnail, instead] = [el("span", { class: "picture" }), el("p", { role: "status" })];
  const lost = el("div", { class: "image-lost", hidden: true }, thumbnail, instead);
  const id = el("p", { class: "image-id", tabindex: "0" });
  const facts = el("p", { class: "image-facts" });
  const note = el("textarea", { id: "note", rows: 2, placeholder: spoken`A note on this image`, "aria-label": "Note", maxlength: 2000 });
  const save = button("Save the note", () => void keepNote());
  const like = el("div", { class: "neighbours" });
  const alike = el("h3", { text: spoken`Images like it`, hidden: true });
  const bar = el("div", { class: "image-actions" }, ...["before", "after", "confirm", "move", "new", "reject"].map((one) => commandButton(app, one)));
  const close = closeButton("Close", () => store.set({ open: null }));
  const view = el("dialog", { class: "image", "aria-label": spoken`An image` },
    el("div", { class: "image-large" }, picture, lost),
    el("div", { class: "image-side" }, el("div", { class: "image-head" }, id, close), facts, bar, alike, like, el("div", { class: "noting" }, note, save)));
  document.body.append(view);
  /** @type {Facts | null} */
  let known = null;
  /** @type {number | null} the image that the field is about */
  let noted = null;
  const saved = () => (known?.row === noted ? known?.note : null) ?? "";
  /** @type {Map<number, string>} the ids of the images that were looked at */
  const ids = new Map();
  /** @param {number} row */
  const draftOf = (row) => `note ${row}`;

  /** @param {boolean} here whether the image is there, or its thumbnail at most */
  function come(here) {
    picture.hidden = !here;
    lost.hidden = here;
  }

  function missing() {
    const row = noted;
    if (row === null) return;
    thumbnail.hidden = !app.sheets.has(row);
    if (!thumbnail.hidden) app.sheets.show(thumbnail, row);
    instead.textContent = thumbnail.hidden ? spoken`This image cannot be shown.` : spoken`This image cannot be shown large: this is its thumbnail.`;
    come(false);
  }

  /** What an image is called while the server cannot say its id. @param {number} row @param {Model} model */
  function called(row, { members, pile, state }) {
    const at = members?.rows.indexOf(row) ?? -1;
    return ids.get(row) ?? (members && at >= 0 ? spoken`Image ${count(at + 1)} of ${count(members.rows.length)} in ${titleIn(state, members.group)}` : spoken`Image ${count(row + 1)} of all ${count(pile.n)}`);
  }

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

  /** What is like the image, under a heading that stands above nothing else. @param {readonly number[]} rows */
  function compare(rows) {
    like.replaceChildren(...rows.map(neighbour));
    alike.hidden = rows.length === 0;
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
      come(true);
      picture.src = `/image/${open}`;
      appears(view, () => picture.complete);
      picture.alt = id.textContent = "";
      facts.replaceChildren("Loading…");
      compare([]);
      known = null;
      noted = open;
      note.value = app.kept.draft(draftOf(open)) ?? "";
    } else if (picture.hidden) picture.src = `/image/${open}`; // the server may be back
    try {
      /** @type {Facts} */
      const said = await get(`/api/image/${open}`);
      if (asked !== key) return;
      known = said;
      ids.set(open, said.id);
      id.textContent = said.id;
      picture.alt = said.id;
      if (document.activeElement !== note) note.value = app.kept.draft(draftOf(said.row)) ?? said.note ?? "";
      if (like.children.length === 0) compare(said.neighbours);
      describe(store.get());
    } catch (error) {
      if (asked !== key) return;
      asked = "";
      if (known) return;
      id.textContent = called(open, store.get());
      facts.replaceChildren(spoken`What is known of this image cannot be loaded. ${why(error)}`);
    }
  });
}
