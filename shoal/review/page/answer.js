/** The answer to a question, and the next question. */

/** @import {App} from "./types.js" */
import { get, why } from "./api.js";
import { askGroup } from "./dialogs.js";
import { beginning } from "./singles.js";

let answering = false;

/**
 * @param {App} app
 * @param {number | string | import("./singles.js").Given[] | null} to a group, or "new", "confirm", "nowhere", "mixed", "skip"; or the group of each image
 */
export async function answer(app, to) {
  const question = app.store.get().question?.question;
  if (!question || to === null || answering) return;
  answering = true;
  app.store.set({ leaving: new Set(question.rows) });
  try {
    const given = await app.act({ op: "answer", question: question.id, to, rows: question.rows });
    // What was answered is not asked again, if the next question does not come.
    if (given) await askNext(app).catch((error) => app.store.set({ question: null, singles: null, failed: { ...app.store.get().failed, question: why(error) } }));
  } finally {
    answering = false;
    app.store.set({ leaving: new Set() });
  }
}

/** @param {App} app */
export async function answerOther(app) {
  const group = await askGroup(app, "Where do these belong?", ({ nowhere }) => !nowhere);
  if (group !== null) await answer(app, group);
}

/** @param {App} app */
export async function askNext(app) {
  const question = await get("/api/question");
  const same = question.question?.id === app.store.get().question?.question?.id;
  app.store.set(same ? { question } : { question, singles: beginning(question.question) });
}
