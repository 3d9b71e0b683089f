/** What was done is said: on the page for a while, and to a screen reader. */

import { button, byId, closeButton, el } from "./dom.js";

const STAYS = 6000; // milliseconds
const MOST = 3;

/** @param {{undo: () => void}} parts */
export function createAnnouncer({ undo }) {
  const live = byId("live");
  const toasts = byId("toasts");

  /** @param {string} text @param {"done" | "plain" | "wrong"} [kind] */
  return function say(text, kind = "plain") {
    if (!text) return;
    // The same sentence twice is two events: a screen reader hears only changes.
    live.textContent = live.textContent === text ? `${text}\u00a0` : text;
    const toast = el("div", { class: `toast ${kind}` }, el("p", { text }));
    const close = () => toast.remove();
    if (kind === "done") toast.append(button("Undo", () => { close(); undo(); }, { key: "u" }));
    toast.append(closeButton("Close", close));
    toasts.append(toast);
    while (toasts.children.length > MOST) toasts.firstElementChild?.remove();
    if (kind !== "wrong") setTimeout(close, STAYS);
  };
}
