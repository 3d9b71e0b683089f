/** The answer to a question, and the next question. */

/** @import {App} from "./types.js" */
import { get, why } from "./api.js";
import { askGroup, askName, askWhether } from "./dialogs.js";
import { spoken } from "./noun.js";
import { answered, beginning, nAnswered } from "./singles.js";
import { counted } from "./words.js";

let answering = false;

/** Whether the next question is on its way: the one that is shown is answered. */
export const isAnswering = () => answering;

/**
 * @param {App} app
 * @param {number | string | import("./singles.js").Given[] | null} to a group, or "new", "confirm", "nowhere", "mixed", "skip"; or the group of each image
 */
export async function answer(app, to) {
  const { question: asked, singles } = app.store.get();
  const question = asked?.question;
  if (!question || to === null || answering) return;
  const n = Array.isArray(to) ? 0 : nAnswered(singles);
  if (n > 0 && !(await replaces(n, to === "skip"))) return;
  if (!isStill(app, question.id)) return;
  const nNew = to === "new" ? question.rows.length : Array.isArray(to) ? to.filter((one) => one === "new").length : 0;
  const name = nNew > 0 ? await askName(`A new group of ${counted(nNew, "image")}`, "Make it") : "";
  if (name === null || !isStill(app, question.id, name)) return;
  await goingOn(app, () => app.act({ op: "answer", question: question.id, to, rows: question.rows, ...(name ? { name } : {}) }));
}

/**
 * Whether the question that a dialog was about is the one that is shown. If not, that is said: nothing answers another one.
 * @param {App} app
 * @param {string | number | undefined} id
 * @param {string} [typed] in the dialog
 */
function isStill(app, id, typed = "") {
  if (app.store.get().question?.question?.id === id) return true;
  app.say(`Another question is asked now: your answer was not saved.${typed ? ` You had typed “${typed}”.` : ""}`, "wrong");
  return false;
}

/** Answer for the framed image alone. @param {App} app @param {import("./singles.js").Given} to */
export function answerOne({ store }, to) {
  const { singles } = store.get();
  if (singles && !answering) store.set({ singles: answered(singles, to) });
}

/** Ask something else, as the person did something that is no answer. @param {App} app */
export const askAnother = (app) => goingOn(app, async () => true);

/** Do something with the question that is shown, which dims; then ask the next one. @param {App} app @param {() => Promise<unknown>} first */
async function goingOn(app, first) {
  const { store } = app;
  answering = true;
  store.set({ leaving: new Set(store.get().question?.question?.rows) });
  try {
    // What was answered is not asked again, if the next question does not come.
    if (await first()) await askNext(app).catch((error) => store.set({ question: null, singles: null, failed: { ...store.get().failed, question: why(error) } }));
  } finally {
    answering = false;
    store.set({ leaving: new Set() });
  }
}

/** @param {number} n images that were answered each by itself @param {boolean} skipped */
function replaces(n, skipped) {
  const said = `You said of ${counted(n, "image")} where ${n === 1 ? "it belongs" : "they belong"}, each by itself, and did not send it yet.`;
  return skipped
    ? askWhether(spoken`Skip these images?`, `${said} To skip them drops that.`, "Skip them")
    : askWhether(spoken`One answer for all images?`, `${said} One answer for all of them counts instead.`, "Answer for all");
}

/**
 * Answer by a group that is not shown: for all images, or for the framed one.
 * @param {App} app
 */
export async function answerOther(app) {
  const { question, singles } = app.store.get();
  const [alone, at] = [singles?.shown ?? false, singles?.at];
  const group = await askGroup(app, alone ? spoken`Where does this image belong?` : "Where do these belong?", ({ nowhere }) => !nowhere);
  if (group === null || !isStill(app, question?.question?.id)) return;
  if (!alone) await answer(app, group);
  else if (app.store.get().singles?.at === at) answerOne(app, group);
}

/** @param {App} app */
export async function askNext(app) {
  const { store } = app;
  const asked = await get("/api/question");
  const same = asked.question && asked.question.id === store.get().question?.question?.id;
  const question = { ...asked, news: [] };
  store.set(same && nAnswered(store.get().singles) > 0 ? { question } : { question, singles: beginning(asked.question) });
}
