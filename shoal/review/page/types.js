/**
 * The shapes of what the server says and of what the page remembers. Only types: nothing runs here.
 *
 * @typedef {{id: number, name: string | null, size: number, decided: number, expected: number,
 *   sample: number[], nowhere: boolean, note: string | null}} Group
 * @typedef {{version: number, n_images: number, groups: Group[], n_decided: number,
 *   expected: number, estimated: boolean, undo: string | null, redo: string | null,
 *   divided: boolean, conflicts: string[]}} State expected: how sure the rest is, on average;
 *   estimated: whether that is of these groups already
 * @typedef {{n: number, noun: string, title: string, identity: string, has_map: boolean,
 *   sheets: {width: number, height: number, columns: number}}} Pile
 * @typedef {{index: number, kind: "split" | "n_clusters", title: string, n: number,
 *   sizes: number[], separation: number | null, pixel_share: number | null,
 *   evidence: string | null, chosen: boolean, samples: number[][], says: string}} Division
 * @typedef {{id: string | number, rows: number[], size: number, images: number[], group: number,
 *   candidates: ({group: number, share: number} | null)[], says: string, guesses: (number | null)[],
 *   each: {guesses: (number | null)[], candidates: (number | null)[]}}} Question candidates
 *   are the first of those of each; null where a group is no more
 * @typedef {{version: number, group: number, candidates: {group: number, share: number}[],
 *   guesses: number[]}} Again what a question about the same images would be now
 * @typedef {{n: number, time: string, op: string, says: string, to: number[],
 *   undone: boolean}} Entry
 * @typedef {{row: number, id: string, group: number, decided: boolean, confidence: number,
 *   neighbours: number[], note: string | null}} Facts
 * @typedef {{from: number, to: number, count: number, sample: number[]}} Move
 * @typedef {{count: number, moves: Move[], ends: number[], dissolved?: boolean}} Preview what an
 *   action would move, and the groups that it would leave without an image
 * @typedef {{op: string, act?: string, words?: string, [key: string]: unknown}} Act
 * @typedef {{state: State, says: string, entry: {n: number, to?: number[] | Record<string, unknown>} | null}} Answer
 * @typedef {{version: number, group: Int32Array, decided: Uint8Array}} Labels
 * @typedef {{group: number, order: string, version: number, rows: number[], parts: number[]}} Members
 * @typedef {"divisions" | "groups" | "question"} View
 * @typedef {"images" | "parts" | "map"} Tab
 *
 * @typedef {object} Model what the page remembers
 * @property {Pile} pile
 * @property {State} state as the server last said it
 * @property {(number | null)[]} slots which group has which of the keys 1 to 9
 * @property {View} view
 * @property {Tab} tab
 * @property {"list" | "members"} pane which of the two a narrow window shows
 * @property {number | null} group the group that is open
 * @property {Set<number>} picked groups ticked in the list
 * @property {string} order of the members
 * @property {number | null} like the image the members are sorted by
 * @property {Members | null} members of the open group
 * @property {boolean} loading whether members are on their way
 * @property {Readonly<Record<string, string>>} failed what could not be loaded, and why
 * @property {Labels | null} labels of all images
 * @property {Set<number>} selected rows of images
 * @property {number} cursor the place of the focused image among the members
 * @property {Set<number>} leaving rows whose move is on its way to the server
 * @property {number | null} open the row of the image shown large
 * @property {{question: Question | null, version: number, news: string[]} | null} question
 *   with the version of the state that it fits, and what changed since it was asked
 * @property {import("./singles.js").Singles | null} singles what was answered so far of a question about single images
 * @property {{ready: boolean, says: string, divisions: Division[]} | null} divisions
 * @property {"here" | "gone" | "refused"} server
 * @property {number} back how often it came back
 * @property {number} mine the version that the last action of this page made
 * @property {string} full why the server cannot write; empty: it can
 * @property {number} waiting how many actions the server has not acknowledged
 * @property {boolean} history whether the history is shown
 * @property {number} tile how wide a thumbnail is in the grid, in pixels
 *
 * @typedef {ReturnType<typeof import("./store.js").createStore<Model>>} Store
 * @typedef {ReturnType<typeof import("./sheets.js").createSheets>} Sheets
 * @typedef {object} App what the parts of the page are given
 * @property {Store} store
 * @property {Sheets} sheets
 * @property {(act: Act) => Promise<Answer | null>} act null where the server said no
 * @property {(act: Act) => Promise<Answer>} send the same, and an error where it said no
 * @property {(text: string, kind?: "done" | "plain" | "wrong" | "heard", more?: {label: string, run: () => void}) => void} say
 * @property {import("./kept.js").Kept} kept
 */
export {};
