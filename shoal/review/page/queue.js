/** Actions on their way to the server: in order, each done once, kept while the server is gone. */

/** @import {Act, Answer} from "./types.js" */
import { Gone } from "./api.js";

/**
 * @param {object} parts
 * @param {(act: Act) => Promise<Answer>} parts.post
 * @param {(waiting: number) => void} parts.onCount how many wait for an answer
 * @param {() => void} parts.onGone
 * @param {() => Promise<void>} parts.untilBack
 * @param {() => string} [parts.token] a text that no other action has
 */
export function createQueue({ post, onCount, onGone, untilBack, token = () => crypto.randomUUID() }) {
  /** @type {{act: Act, resolve: (answer: Answer) => void, reject: (error: unknown) => void}[]} */
  const waiting = [];
  let busy = false;

  async function work() {
    busy = true;
    while (waiting.length > 0) {
      const { act, resolve, reject } = waiting[0];
      try {
        const answer = await post(act);
        waiting.shift();
        resolve(answer);
      } catch (error) {
        if (error instanceof Gone) {
          onGone();
          await untilBack();
          continue; // the same action with the same token: the server does it once
        }
        waiting.shift();
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
        waiting.push({ act: { ...act, act: token() }, resolve, reject });
        onCount(waiting.length);
        if (!busy) void work();
      });
    },
  };
}
