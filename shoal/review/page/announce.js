/** What was done is said: on the page for a while, and to a screen reader. */

import { button, byId, closeButton, el } from "./dom.js";
import { appears } from "./seen.js";

const STAYS = 6000; // milliseconds
const MOST = 3;

/**
 * `say` says something; `settle` takes away what says that something was done, as another thing was done or undone since: its Undo would take that back.
 * @param {{undo: () => void}} parts
 */
export function createAnnouncer({ undo }) {
  const live = byId("live");
  const toasts = byId("toasts");
  // What lies outside a modal dialog is behind it, and cannot be clicked.
  const inFront = () => {
    const dialog = /** @type {HTMLElement | null} */ (document.querySelector("dialog:modal:last-of-type"));
    (dialog ?? document.body).append(toasts);
    if (dialog?.matches(".dialog")) appears(dialog); // its buttons make room
  };
  document.addEventListener("close", () => document.body.append(toasts), true);

  /**
   * @param {string} text
   * @param {"done" | "plain" | "wrong" | "heard"} [kind] heard: the page shows it where it belongs
   * @param {{label: string, run: () => void}} [more] what can be done about it
   */
  function say(text, kind = "plain", more) {
    if (!text) return;
    // The same sentence twice is two events: a screen reader hears only changes.
    live.textContent = live.textContent === text ? `${text}\u00a0` : text;
    if (kind === "heard") return;
    const toast = el("div", { class: `toast ${kind}` }, el("p", { text }));
    const close = () => toast.remove();
    if (kind === "done") toast.append(button("Undo", () => { close(); undo(); }, { key: "u" }));
    if (more) toast.append(button(more.label, () => { close(); more.run(); }));
    toast.append(closeButton("Close", close));
    toasts.append(toast);
    inFront();
    while (toasts.children.length > MOST) toasts.firstElementChild?.remove();
    if (kind !== "wrong") setTimeout(close, more ? 3 * STAYS : STAYS);
  }

  const settle = () => { for (const toast of toasts.querySelectorAll(".toast.done")) toast.remove(); };
  return { say, settle };
}
