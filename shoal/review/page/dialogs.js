/** Small questions in a dialog: a name, a number, a group, whether to go on. */

/** @import {App, Group} from "./types.js" */
import { button, el, keyHint, whenSeen } from "./dom.js";
import { appears } from "./seen.js";
import { listed } from "./selection.js";
import { count, titleOf } from "./words.js";

/**
 * A dialog that gives a value, or null where the person thought better of it.
 * @template T
 * @param {string} title
 * @param {(done: (value: T | null) => void, dialog: HTMLDialogElement) => (Node | null)[]} fill
 * @param {string} [kind]
 * @returns {Promise<T | null>}
 */
export function dialog(title, fill, kind = "") {
  return new Promise((resolve) => {
    const before = /** @type {HTMLElement | null} */ (document.activeElement);
    // A click on its text leaves the focus in it, so that its keys go on.
    const made = el("dialog", { class: `dialog ${kind}`, tabindex: "-1", "aria-label": title }, el("h2", { text: title }));
    /** @type {T | null} */
    let value = null;
    made.append(...fill((given) => { value = given; made.close(); }, made).filter((node) => node !== null));
    made.addEventListener("close", () => {
      made.remove();
      before?.focus({ preventScroll: true });
      resolve(value);
    });
    made.addEventListener("click", (event) => { if (event.target === made) made.close(); });
    document.body.append(made);
    made.showModal();
    appears(made);
  });
}

/** @param {() => void} cancel @param {string} label @param {() => void} go */
export function choice(cancel, label, go) {
  return el("div", { class: "choice" }, button("Cancel", cancel, { key: "Esc" }), button(label, go, { key: "Enter", class: "main", autofocus: true }));
}

/** Where there is nothing to choose. @param {string} name @param {() => void} close */
export const leaving = (name, close) => el("div", { class: "choice" }, button(name, close, { key: "Esc" }));

/** @param {string} title @param {string} says @param {string} label of the button that goes on @returns {Promise<boolean | null>} */
export function askWhether(title, says, label) {
  return dialog(title, (done) => [el("p", { text: says }), choice(() => done(null), label, () => done(true))]);
}

/** @param {string} text */
export const told = (text) => (text ? el("p", { text }) : null);

/** @param {string} title @param {string} label @param {string} [says] @returns {Promise<string | null>} */
export function askName(title, label, says = "") {
  return dialog(title, (done) => {
    const field = el("input", { type: "text", autofocus: true, autocomplete: "off", maxlength: 200, placeholder: "Name (may stay empty)", "aria-label": "Name" });
    const form = el("form", { onsubmit: (/** @type {Event} */ event) => { event.preventDefault(); done(field.value.trim()); } }, field);
    return [told(says), form, choice(() => done(null), label, () => done(field.value.trim()))];
  });
}

/**
 * @param {string} title
 * @param {string} given
 * @param {(typed: string) => void} dropped told what was typed, where it was not saved
 * @returns {Promise<string | null>} empty: the note goes
 */
export function askNote(title, given, dropped) {
  return dialog(title, (done, made) => {
    const field = el("textarea", { autofocus: true, rows: 4, maxlength: 2000, "aria-label": "Note", placeholder: "What is to be known of this group", text: given });
    let saved = false;
    const save = () => { saved = true; done(field.value.trim()); };
    made.addEventListener("close", () => { if (!saved) dropped(field.value.trim()); });
    field.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      save();
    });
    return [field, el("div", { class: "choice" }, button("Cancel", () => done(null), { key: "Esc" }), button("Save the note", save, { key: "Ctrl Enter", class: "main" }))];
  });
}

/** @param {string} title @param {string} says @param {number} given @returns {Promise<number | null>} */
export function askNumber(title, says, given) {
  return dialog(title, (done, made) => {
    const buttons = [2, 3, 4, 5, 6, 7, 8, 9].map((n) =>
      button(String(n), () => done(n), { class: n === given ? "main" : "", title: `Split into ${n} parts` }));
    buttons.find((one) => one.classList.contains("main"))?.setAttribute("autofocus", "");
    made.addEventListener("keydown", (event) => {
      if (/^[2-9]$/.test(event.key)) done(Number(event.key));
    });
    return [el("p", { text: says }), el("div", { class: "numbers" }, ...buttons), leaving("Cancel", () => done(null))];
  });
}

/**
 * @param {App} app
 * @param {string} title
 * @param {(group: Group) => boolean} may
 * @param {string} [says]
 * @returns {Promise<number | null>} a group
 */
export function askGroup(app, title, may, says = "") {
  return dialog(title, (done, made) => {
    const { state, slots } = app.store.get();
    const groups = listed(slots, state.groups).filter(may);
    const field = el("input", { type: "text", autofocus: true, autocomplete: "off", placeholder: "Part of a name", "aria-label": "Part of a name" });
    const list = el("div", { class: "choices" });
    const fitting = () => groups.filter((group) => titleOf(group).toLowerCase().includes(field.value.trim().toLowerCase()));
    const draw = () => list.replaceChildren(...fitting().map((group) => {
      const key = slots.indexOf(group.id) + 1;
      const one = button(titleOf(group), () => done(group.id));
      one.append(...[strip(app, group.sample, 5), el("span", { class: "soft", text: count(group.size) }), keyHint(key ? String(key) : "")].filter((part) => part !== null));
      return one;
    }));
    field.addEventListener("input", draw);
    made.addEventListener("keydown", (event) => {
      const slot = /^[1-9]$/.test(event.key) && field.value === "" ? slots[Number(event.key) - 1] : null;
      if (slot && groups.some(({ id }) => id === slot)) { event.preventDefault(); done(slot); }
      if (event.key === "Enter" && event.target === field && fitting()[0]) done(fitting()[0].id);
    });
    draw();
    return [told(says), field, list, leaving("Cancel", () => done(null))];
  });
}

/**
 * Thumbnails side by side.
 * @param {App} app
 * @param {readonly number[]} rows
 * @param {number} [most]
 */
export function strip(app, rows, most = rows.length) {
  const line = el("span", { class: "strip", "aria-hidden": "true" });
  const few = rows.slice(0, most);
  line.append(...few.map(() => el("span", { class: "picture" })));
  const fill = () => few.forEach((row, i) => app.sheets.show(/** @type {HTMLElement} */ (line.children[i]), row));
  if (few.every(app.sheets.has)) fill();
  else whenSeen(line, fill);
  return line;
}
