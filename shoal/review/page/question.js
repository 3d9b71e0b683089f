/** The next question: a strip of images of one part, and where they may belong. */

/** @import {App, Model} from "./types.js" */
import { answer, answerOne } from "./answer.js";
import { commandButton, standsBelow } from "./bar.js";
import { BAR } from "./commands.js";
import { strip } from "./dialogs.js";
import { byId, el, keyHint, meter } from "./dom.js";
import { openGroup } from "./navigate.js";
import { spoken } from "./noun.js";
import { dotOf } from "./palette.js";
import { appears } from "./seen.js";
import { keysOf } from "./selection.js";
import { count, counted, doubts, percent, titleIn } from "./words.js";

/**
 * How likely a group is, beside the others. No number stands for it: of such shares nobody knows how many come true.
 * @param {number} share
 */
function likelihood(share) {
  const bar = meter(share);
  bar.title = "How likely it is beside the other groups, as far as learning can tell";
  return bar;
}

/** @param {App} app */
export function showQuestion(app) {
  const body = byId("question-body");
  const heading = byId("question-title");

  /** @param {number} row */
  function picture(row) {
    const shown = el("span", { class: "picture" });
    app.sheets.show(shown, row);
    return el("button", { type: "button", class: "large", "aria-label": spoken`Show this image large`, onclick: () => app.store.set({ open: row }) }, shown);
  }

  /** @param {Model} model @param {number} row @param {number} i @returns {HTMLElement} an image that is asked about by itself */
  function single({ state, singles, question }, row, i) {
    const group = singles?.given[i] ?? null;
    const title = group === null ? "left open" : group === "new" ? "a new group" : titleIn(state, group);
    const shown = el("span", { class: "picture" });
    app.sheets.show(shown, row);
    const changed = group !== question?.question?.each.guesses[i];
    return el("button", { type: "button", class: "single large", "aria-pressed": String(singles?.at === i), "aria-label": spoken`Image ${i + 1} of ${question?.question?.rows.length}: ${title}`, onclick: () => { if (singles) app.store.set({ singles: { ...singles, at: i } }); }, ondblclick: () => app.store.set({ open: row }) },
      shown, el("span", { class: `guess${changed ? " changed" : ""}` }, typeof group === "number" ? dotOf(group) : null, el("span", { class: "name", text: title })));
  }

  /** @param {Model} model @param {{group: number, share?: number} | null} candidate @param {string} key @param {number} present the group they are in */
  function card({ state, singles: given }, candidate, key, present) {
    if (!candidate) return null;
    const { group, share = 0 } = candidate;
    const singles = given?.shown ?? false;
    const there = state.groups.find(({ id }) => id === group);
    if (!there) return null; // it is gone, and what became of it is not known yet: the server may be gone, too
    const { sample } = there;
    return el("button", { type: "button", class: "candidate", "aria-keyshortcuts": key || null, onclick: () => void (singles ? answerOne(app, group) : answer(app, group)) },
      el("span", { class: "group-title" }, dotOf(group), el("span", { class: "name", text: titleIn(state, group) }), group === present && !singles ? el("span", { class: "tag", text: "now here" }) : null, keyHint(key)),
      singles ? null : likelihood(share), strip(app, sample, singles ? 5 : 8));
  }

  /** @param {(Node | null)[]} made @returns {Node[]} */
  const cards = (made) => made.filter((one) => one !== null);
  /** @param {...(Node | null)} parts */
  const show = (...parts) => {
    body.replaceChildren(...cards(parts));
    standsBelow(/** @type {HTMLElement} */ (body.lastElementChild));
  };

  let seen = ""; // which question is on the screen, and how it is asked
  /** @param {Model} model */
  function look({ view, question, singles }) {
    const now = view === "question" && question?.question ? `${question.question.id} ${singles?.shown} ${question.question.each.candidates}` : "";
    if (now !== seen && now !== "") appears(body, () => body.querySelector(".asked .waiting") === null);
    seen = now;
  }

  // How many questions are left nobody knows: each answer changes what is worth asking.
  const left = el("span", { class: "doubts" });

  /** @param {Model} model */
  function draw(model) {
    if (model.view !== "question") return;
    const asked = model.question;
    if (!asked) {
      heading.textContent = "Where do these belong?";
      return body.replaceChildren(el("p", { class: "soft", role: "status", text: model.failed.question ? `No question can be shown. ${model.failed.question}` : "Looking for the question whose answer settles most…" }));
    }
    if (!asked.question) {
      heading.textContent = "Nothing is left to ask";
      const alone = model.state.groups.filter(({ nowhere }) => !nowhere).length < 2;
      return body.replaceChildren(el("p", { text: alone ? spoken`There is one group, so no image can be in the wrong one. Split it, or make a new group of some of its images.` : spoken`What you decided settles the rest as far as questions can. Look through the groups, doubtful images first.` }), commandButton(app, "groups", "main"));
    }
    const { size, rows, group, candidates, says, guesses, each } = asked.question;
    const keys = keysOf(model.slots, each.candidates);
    const news = asked.news.length ? el("p", { class: "news", text: asked.news.join(" ") }) : null;
    if (model.singles?.shown) {
      const focused = document.activeElement?.closest(".single") !== null;
      heading.textContent = rows.length === 1 ? spoken`Where does this image belong?` : `Where does each of these ${count(rows.length)} belong?`;
      const how = el("p", { class: "soft" }, spoken`${guesses.length ? `${says} ` : ""}Below each stands where it most likely belongs. Put the framed one elsewhere by the key of a group; go on when all are right. Click an image to frame it; two clicks show it large. `, left);
      show(how, news, el("div", { class: "asked each" }, ...rows.map((row, i) => single(model, row, i))), el("div", { class: "candidates few" }, ...cards(each.candidates.map((one, i) => card(model, one === null ? null : { group: one }, keys[i], group)))), el("div", { class: "answers" }, ...BAR.singles.map((id) => commandButton(app, id, id === "singles" ? "main" : ""))));
      if (focused) /** @type {HTMLElement | null} */ (body.querySelectorAll(".single")[model.singles.at])?.focus();
      return;
    }
    heading.textContent = rows.length === 1 ? spoken`Where does this image belong?` : `Where do these ${counted(rows.length, "image")} belong?`;
    const now = el("p", { class: "soft" }, `${rows.length === 1 ? "It is" : "They are"} now in `, el("a", { href: `#group/${group}`, text: titleIn(model.state, group), onclick: (/** @type {Event} */ event) => { event.preventDefault(); openGroup(app, group); } }),
      `${rows.length < size ? `, with ${count(size - rows.length)} more like them, which learning moves by your answers` : ""}. ${says} `, left);
    const others = el("div", { class: "answers" }, ...BAR.question.map((id) => commandButton(app, id)));
    return show(now, news, el("div", { class: "asked" }, ...rows.map(picture)), el("div", { class: "candidates" }, ...cards(candidates.map((one, i) => card(model, one, keys[i], group)))), others);
  }

  app.store.on(["state"], ({ state }) => { // it is known later than the question; nothing else is drawn anew
    left.textContent = doubts(state);
    left.title = spoken`Shoal is about ${percent(state.expected)} sure of each of these, on average. Learning and your answers change that; questions are chosen by what they settle`;
  });
  app.store.on(["view", "question", "singles", "slots", "failed"], (model) => { draw(model); look(model); });
  app.store.on(["leaving"], ({ leaving, view }) => body.classList.toggle("leaving", view === "question" && leaving.size > 0));
}
