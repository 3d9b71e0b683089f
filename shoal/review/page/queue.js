/** Actions on their way to the server: in order, each done once, kept while the server is gone. */

/** @import {Act, Answer} from "./types.js" */
/** @import {Kept, Named} from "./kept.js" */
import { CLOSED, Full, Gone, Refused } from "./api.js";

const PAUSE = 2000; // milliseconds until it is tried again to write

/**
 * @param {object} parts
 * @param {(act: Act) => Promise<Answer>} parts.post
 * @param {(waiting: number) => void} parts.onCount how many wait for an answer
 * @param {() => void} parts.onGone
 * @param {() => Promise<void>} parts.untilBack
 * @param {(why: string) => void} [parts.onFull] why the server cannot write; empty: it can again
 * @param {() => Promise<void>} [parts.untilRoom]
 * @param {Pick<Kept, "add" | "done">} [parts.kept] where actions outlive the page
 * @param {() => string} [parts.token] a text that no other action has
 */
export function createQueue({ post, onCount, onGone, untilBack, onFull = () => {}, untilRoom = () => new Promise((resolve) => { setTimeout(resolve, PAUSE); }), kept = { add() {}, done() {} }, token = () => crypto.randomUUID() }) {
  /** @type {{act: Named, resolve: (answer: Answer) => void, reject: (error: unknown) => void}[]} */
  const waiting = [];
  let busy = false;

  async function work() {
    busy = true;
    let closed = false; // whether the server did not know this page just now
    while (waiting.length > 0) {
      const { act, resolve, reject } = waiting[0];
      try {
        const answer = await post(act);
        waiting.shift();
        closed = false;
        onFull("");
        kept.done(act);
        resolve(answer);
      } catch (error) {
        if (error instanceof Gone) {
          onGone();
          await untilBack();
          continue; // the same action with the same token: the server does it once
        }
        if (error instanceof Full) {
          onFull(error.message);
          await untilRoom();
          continue;
        }
        onFull("");
        if (error instanceof Refused && CLOSED.includes(error.status) && !closed) {
          closed = true; // another server took its place, which does not know this page yet
          onGone();
          await untilBack();
          continue;
        }
        waiting.shift();
        if (!closed) kept.done(act);
        reject(error);
      }
      onCount(waiting.length);
    }
    busy = false;
  }

  return {
    /** @param {Act} act @returns {Promise<Answer>} */
    send(act) {
      return new Promise((resolve, reject) => {
        const named = { ...act, act: act.act ?? token() };
        kept.add(named);
        waiting.push({ act: named, resolve, reject });
        onCount(waiting.length);
        if (!busy) void work();
      });
    },
  };
}
