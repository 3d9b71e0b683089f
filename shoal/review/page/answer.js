/** The answer to a question, and the next question. */

/** @import {App} from "./types.js" */
import { get } from "./api.js";

let answering = false;

/**
 * @param {App} app
 * @param {number | string | null} to a group, or "new", "confirm", "nowhere", "mixed", "skip"
 */
export async function answer(app, to) {
  const question = app.store.get().question?.question;
  if (!question || to === null || answering) return;
  answering = true;
  app.store.set({ leaving: new Set(question.rows) });
  try {
    const given = await app.act({ op: "answer", question: question.id, to });
    if (given) await askNext(app).catch(() => {}); // the server is gone: asked when it is back
  } finally {
    answering = false;
    app.store.set({ leaving: new Set() });
  }
}

/** @param {App} app */
export async function askNext(app) {
  app.store.set({ question: await get("/api/question") });
}
