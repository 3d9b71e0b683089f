/** Every action of the page: its keys, its button, its line in the help. One list for all three. */

/** @import {App, Model, View} from "./types.js" */
import * as actions from "./actions.js";
import { answer, answerOne, answerOther } from "./answer.js";
import { showHelp } from "./help.js";
import { targets } from "./model.js";
import * as navigate from "./navigate.js";
import { spoken } from "./noun.js";
import { GROUP_KEYS, keysOf } from "./selection.js";
import { areAsked, each, nAnswered, stepped, takenBack } from "./singles.js";
import { counted } from "./words.js";

/**
 * @typedef {object} Command
 * @property {string} id
 * @property {string[]} keys as a KeyboardEvent names them; "Ctrl+" and "Shift+" before
 * @property {string} room where the help lists it
 * @property {string} help what it does
 * @property {(model: Model) => string} label of its button
 * @property {(model: Model) => boolean} when it can be done
 * @property {(app: App, key: string) => unknown} run
 */

/** @param {Model} m */
const onGroups = (m) => m.view === "groups";
/** @param {Model} m */
const onGroup = (m) => onGroups(m) && m.open === null && m.group !== null && m.group !== 0;
/** @param {Model} m */
const onImages = (m) => onGroups(m) && targets(m).length > 0;
/** @param {Model} m */
const asked = (m) => m.view === "question" && m.open === null && Boolean(m.question?.question) && !m.singles?.shown;
/** Whether these single images can also be answered for at once. @param {Model} m */
const ofStrip = (m) => areAsked(m) && !m.question?.question?.guesses.length;
/** Whether an answer about a single image is what undoing takes back. @param {Model} m */
const halfAnswered = (m) => areAsked(m) && nAnswered(m.singles) > 0;
/** @param {Model} m */
const small = (m) => m.open === null;
/** @param {string} op */
const reply = (op) => (/** @type {App} */ app) => answer(app, op);

/** Answer for all images that are shown, or for the framed one, by the key of a group. @param {App} app @param {string} key */
function byKey(app, key) {
  const { slots, question: asked, singles, state } = app.store.get();
  const { candidates = [], each } = asked?.question ?? {};
  const offered = each?.candidates ?? [];
  const meant = offered[keysOf(slots, offered).indexOf(key)] ?? null;
  const group = state.groups.some(({ id }) => id === meant) ? meant : null;
  if (group !== null && singles?.shown) return answerOne(app, group);
  if (group !== null && candidates.some((one) => one?.group === group)) return answer(app, group);
  return app.say(`No group that is shown here has the key ${key}.`);
}
/** Ask about the images of a question one by one. @param {App} app */
function oneByOne(app) {
  const { question: asked, singles } = app.store.get();
  if (asked?.question) app.store.set({ singles: singles ? { ...singles, shown: true } : each(asked.question) });
}
/** Ask about all images of a question at once; what was answered of single ones is kept. @param {App} app */
function allAtOnce(app) {
  const { singles } = app.store.get();
  if (singles) app.store.set({ singles: { ...singles, shown: false } });
}
/** @param {App} app */
function undo(app) {
  const model = app.store.get();
  if (!model.singles || !halfAnswered(model)) return app.act({ op: "undo" });
  const singles = takenBack(model.singles);
  app.store.set({ singles });
  return app.say(spoken`Took back what you said of image ${singles.at + 1}.`);
}
/** @param {App} app @param {number} by */
function step(app, by) {
  const { singles } = app.store.get();
  if (singles) app.store.set({ singles: stepped(singles, by) });
}

/**
 * @param {string} id
 * @param {string | string[]} keys
 * @param {string} room
 * @param {string | ((model: Model) => string)} label
 * @param {string} help
 * @param {(model: Model) => boolean} when
 * @param {(app: App, key: string) => unknown} run
 * @returns {Command}
 */
function command(id, keys, room, label, help, when, run) {
  return {
    id, room, help, when, run,
    keys: Array.isArray(keys) ? keys : [keys],
    label: typeof label === "string" ? () => label : label,
  };
}

const DIGITS = ["1", "2", "3", "4", "5", "6", "7", "8", "9"];

/** @type {readonly Command[]} */
export const COMMANDS = [
  command("candidate", GROUP_KEYS, "A question", "Belongs here", "These belong to the group that has this key, a letter where there are more than nine groups", asked, byKey),
  command("right", "c", "A question", "Right as it is", "These are right where they are", asked, reply("confirm")),
  command("other-group", "t", "A question", "Another group…", "These belong to a group that is not shown", asked, answerOther),
  command("each", "e", "A question", (m) => (nAnswered(m.singles) ? `Each by itself: ${nAnswered(m.singles)} of ${m.singles?.given.length} answered` : "Each by itself"), "These are of several kinds: say of each where it belongs", asked, oneByOne),
  command("new-group", "n", "A question", "A new group", "These are a group of their own", asked, reply("new")),
  command("mixed", "m", "A question", "Mixed", "These are of several kinds: ask about smaller parts", asked, reply("mixed")),
  command("nowhere", "x", "A question", "Nowhere", "These belong nowhere", asked, reply("nowhere")),
  command("skip", "s", "A question", "Skip", "Ask something else", asked, reply("skip")),

  command("single", GROUP_KEYS, "Single images", "Belongs here", "The framed image belongs to the group that has this key; the next one is framed", areAsked, byKey),
  command("single-other", "t", "Single images", "Another group…", "The framed image belongs to a group that is not shown", areAsked, answerOther),
  command("single-new", "n", "Single images", "New group", "The framed image belongs to a new group, with all others of this kind here", areAsked, (app) => answerOne(app, "new")),
  command("single-nowhere", "x", "Single images", "Nowhere", "The framed image belongs nowhere", areAsked, (app) => answerOne(app, 0)),
  command("single-open", "s", "Single images", "Leave open", "Say nothing of the framed image", areAsked, (app) => answerOne(app, null)),
  command("single-before", "ArrowLeft", "Single images", "Previous", "Frame the image before", areAsked, (app) => step(app, -1)),
  command("single-after", "ArrowRight", "Single images", "Next", "Frame the next image", areAsked, (app) => step(app, 1)),
  command("singles", ["c", "Enter"], "Single images", "All right now", "Each image belongs to the group that is written below it", areAsked, (app) => answer(app, app.store.get().singles?.given ?? null)),
  command("singles-skip", "Shift+s", "Single images", "Skip them", "Ask something else", areAsked, reply("skip")),
  command("singles-back", "Escape", "Single images", "All at once", "Back to one answer for all of them; what you said of single images is kept", ofStrip, allAtOnce),

  command("divide", DIGITS, "Ways to divide", "Take it", "Take the division of this number", (m) => m.view === "divisions" && m.open === null,
    (app, key) => actions.takeDivision(app, Number(key) - 1)),

  command("move-number", DIGITS, "Images", "Move", "Move the selected images to the group that has this key; with none selected, open it", onGroups,
    (app, key) => actions.numberKey(app, Number(key))),
  command("move", "t", "Images", "Move to…", "Move the selected images to any group", onImages, actions.moveSomewhere),
  command("confirm", "c", "Images", (m) => (targets(m).length ? "Confirm" : "Confirm all"), "The selected images are right here; with none selected, the whole group is", (m) => onImages(m) || onGroup(m), actions.confirm),
  command("new", "n", "Images", "New group", "Make a new group of the selected images", onImages, actions.makeNew),
  command("reject", "x", "Images", "Nowhere", "The selected images belong to no group", onImages, actions.reject),
  command("apart", "a", "Images", "Not together", "The two selected images are not of one group", (m) => onGroups(m) && small(m) && m.selected.size === 2, actions.keepApart),
  command("open", "Enter", "Images", "Look closer", "Show the image large, with images like it", (m) => onGroups(m) && small(m), navigate.lookCloser),
  command("part", "e", "Images", "Whole part", "Select the whole part that the focused image is in", (m) => onGroups(m) && small(m) && m.tab === "parts", navigate.wholePart),
  command("all", "Ctrl+a", "Images", "Select all", "Select all images of the group", (m) => onGroups(m) && small(m), navigate.selectAll),
  command("none", "Ctrl+Shift+a", "Images", "Select none", "Select no image", (m) => onGroups(m) && small(m) && m.selected.size > 0, (app) => app.store.set({ selected: new Set() })),
  command("note", "Shift+n", "Images", "Note", "Leave a note on the image shown large", (m) => m.open !== null, () => document.getElementById("note")?.focus()),
  command("before", "ArrowLeft", "Images", "Previous", "The image before, where one is shown large", (m) => m.open !== null, (app) => navigate.advance(app, app.store.get(), -1)),
  command("after", "ArrowRight", "Images", "Next", "The image after, where one is shown large", (m) => m.open !== null, (app) => navigate.advance(app, app.store.get(), 1)),

  command("merge", "m", "Groups", (m) => (m.picked.size > 1 ? `Merge ${counted(m.picked.size, "group")}` : "Merge with…"), "Merge the ticked groups, or this one with another", (m) => onGroup(m) || (onGroups(m) && small(m) && m.picked.size > 1), actions.merge),
  command("split", "s", "Groups", "Split…", "Split the group into parts", onGroup, actions.split),
  command("dissolve", "d", "Groups", "Dissolve…", "Give its images to the groups where they belong without it", onGroup, actions.dissolve),
  command("rename", ["r", "F2"], "Groups", "Rename", "Rename the group", onGroup, () => document.getElementById("name")?.focus()),
  command("note-group", "Shift+n", "Groups", "Note…", "Leave a note on the group", onGroup, actions.noteGroup),
  command("next-group", "j", "Groups", "Next group", "Open the next group", (m) => onGroups(m) && small(m), (app) => navigate.neighbourGroup(app, 1)),
  command("previous-group", "k", "Groups", "Previous group", "Open the group before", (m) => onGroups(m) && small(m), (app) => navigate.neighbourGroup(app, -1)),
  command("images", "g", "Groups", "Images", "Show its images", (m) => onGroups(m) && small(m), (app) => navigate.showTab(app, "images")),
  command("parts", "p", "Groups", "Parts", "Show its parts", (m) => onGroups(m) && small(m), (app) => navigate.showTab(app, "parts")),
  command("map", "w", "Groups", "Map", "Show where its images lie on the map", (m) => onGroups(m) && small(m) && m.pile.has_map, (app) => navigate.showTab(app, "map")),
  command("order", "o", "Groups", "Order", "Typical first, doubtful first, or like the selected image", (m) => onGroups(m) && small(m), navigate.nextOrder),

  command("undo", ["u", "Ctrl+z"], "Everywhere", "Undo", "Undo the last action, or the last answer about a single image", (m) => halfAnswered(m) || m.state.undo !== null, undo),
  command("redo", ["Shift+u", "Ctrl+y", "Ctrl+Shift+z"], "Everywhere", "Redo", "Do it again", (m) => m.state.redo !== null, (app) => app.act({ op: "redo" })),
  command("learn", "l", "Everywhere", "Learn…", "Move the other images by what you decided; shown before it is done", (m) => small(m) && m.view !== "divisions", actions.learn),
  command("question", "q", "Everywhere", "Questions", "The question whose answer settles most", small, (app) => navigate.goTo(app, "question")),
  command("groups", "b", "Everywhere", "Groups", "The groups and their images", small, (app) => navigate.goTo(app, "groups")),
  command("divisions", "v", "Everywhere", "Divisions", "Other ways to divide the pile", small, (app) => navigate.goTo(app, "divisions")),
  command("history", "h", "Everywhere", "History", "All that was done, to go back to any point", small, (app) => app.store.set({ history: !app.store.get().history })),
  command("back", "Escape", "Everywhere", "Back", "Close the image, select nothing, or go back", (m) => !ofStrip(m), navigate.back),
  command("help", "?", "Everywhere", "Keys", "Show all keys", small, () => showHelp(COMMANDS)),
];

/** @param {string} id */
export function commandOf(id) {
  const command = COMMANDS.find((one) => one.id === id);
  if (!command) throw new Error(`There is no command "${id}".`);
  return command;
}

/**
 * The command that a key means now.
 * @param {Model} model
 * @param {string} key
 */
export const commandFor = (model, key) => COMMANDS.find(({ keys, when }) => keys.includes(key) && when(model)) ?? null;

/** @type {Record<View | "singles", string[]>} */
export const BAR = {
  groups: ["confirm", "move", "new", "reject", "apart", "part", "all", "none", "merge", "split", "dissolve", "note-group", "learn", "open"],
  singles: ["singles", "singles-back", "single-other", "single-new", "single-nowhere", "single-open", "singles-skip", "learn"],
  question: ["right", "each", "other-group", "new-group", "nowhere", "mixed", "skip", "learn"],
  divisions: [],
};
