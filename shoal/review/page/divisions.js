/** The ways to divide the pile, and the numbers of clusters: each a card, taken by a click or a key. */

/** @import {App, Division, Model} from "./types.js" */
import { takeDivision } from "./actions.js";
import { strip } from "./dialogs.js";
import { button, byId, el, keyHint, meter } from "./dom.js";
import { goTo } from "./navigate.js";
import { clearness, count, counted, percent } from "./words.js";

const MOST = 12; // clusters shown on a card

/** @param {App} app */
export function showDivisions(app) {
  const root = byId("division-cards");
  let shown = "";

  /** @param {string} label @param {number} share @param {string} says */
  function measure(label, share, says) {
    return el("span", { class: "measure" }, el("span", { class: "soft", text: label }), el("span", { text: says }), meter(share));
  }

  /** @param {Division} division @param {number} at */
  function card(division, at) {
    const { title, n, sizes, samples, separation, pixel_share: pixels, says, evidence, chosen } = division;
    const few = n <= 3 ? 8 : 5;
    const sides = samples.slice(0, MOST).map((rows, i) => el("span", { class: "side" }, strip(app, rows, few), el("span", { class: "soft", text: count(sizes[i] ?? rows.length) })));
    const rest = n > MOST ? el("span", { class: "soft", text: `and ${counted(n - MOST, "smaller cluster")}` }) : null;
    const facts = el("span", { class: "measures" },
      separation === null ? null : measure("How clear", separation, percent(separation)),
      pixels === null ? null : measure("Thumbnails explain", pixels, percent(pixels)));
    const key = keyHint(at < 9 ? String(at + 1) : "");
    return el("button", { type: "button", class: `division${n > 3 ? " many" : ""}`, "aria-pressed": String(chosen), "data-index": division.index, "aria-keyshortcuts": at < 9 ? String(at + 1) : null, onclick: () => void takeDivision(app, at) },
      el("span", { class: "division-title" }, el("span", { class: "name", text: title }), chosen ? el("span", { class: "tag", text: "chosen now" }) : null, key),
      el("span", { class: "sides" }, ...sides, rest), separation === null && pixels === null ? null : facts,
      el("span", { class: "says" , text: clearness(separation, pixels) || says || evidence || "" }));
  }

  /** @param {Model} model */
  function draw({ view, divisions, state, failed }) {
    if (view !== "divisions") return;
    const now = JSON.stringify([divisions, state.divided, failed.divisions]);
    if (now === shown) return;
    shown = now;
    const wrong = failed.divisions ? `${divisions ? "This is how they were before; they" : "The ways to divide the pile"} cannot be loaded now. ${failed.divisions}` : "";
    const more = wrong ? el("p", { class: "soft", role: "status", text: wrong }) : divisions?.ready ? null : el("p", { class: "soft", text: `${divisions?.divisions.length ? "More ways" : "Ways"} to divide the pile are compared. You can go on meanwhile.` });
    if (!divisions) return root.replaceChildren(skip(state.divided), ...(more ? [more] : []));
    const focused = /** @type {HTMLElement | null} */ (document.activeElement?.closest(".division"))?.dataset.index;
    const cards = divisions.divisions.map(/** @returns {[string, HTMLElement]} */ (one, at) => [one.kind, card(one, at)]);
    /** @param {string} kind @param {string} heading */
    const section = (kind, heading) => {
      const these = cards.filter(([one]) => one === kind).map(([, made]) => made);
      return these.length ? [el("h3", { text: heading }), el("div", { class: "cards" }, ...these)] : [];
    };
    const splits = divisions.divisions.some(({ kind }) => kind === "split");
    const sure = divisions.says ? [el("p", { text: divisions.says })] : [];
    root.replaceChildren(skip(state.divided), ...sure, ...section("split", "Ways to divide it"), ...section("n_clusters", splits ? "Or another number of clusters" : "How many clusters?"), ...(more ? [more] : []));
    if (focused) /** @type {HTMLElement | null} */ (root.querySelector(`[data-index="${focused}"]`))?.focus();
    return undefined;
  }

  /** @param {boolean} divided */
  const skip = (divided) => el("p", {}, button(divided ? "Keep what I have" : "Keep the one chosen by shoal", () => goTo(app, "groups"), { key: "Esc" }));

  app.store.on(["view", "divisions", "failed"], draw);
}
