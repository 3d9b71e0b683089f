/** What is asked of the server. */

/** @import {Act, Answer, Labels} from "./types.js" */

/** The server cannot be reached. */
export class Gone extends Error {}

/** The server is there, and cannot write: the disk is full, say. */
export class Full extends Error {}

const CANNOT_WRITE = 507;

/** What the server answers to a page that it does not know. */
export const CLOSED = [401, 403];

/** The server said no, in a sentence. */
export class Refused extends Error {
  /** @param {number} status @param {string} text */
  constructor(status, text) {
    super(text);
    this.status = status;
  }
}

/** @type {() => void} */
let lost = () => {};

/** Have something done whenever the server does not answer. @param {() => void} run */
export const whenGone = (run) => { lost = run; };

/** @param {string} path @param {RequestInit} [options] */
async function ask(path, options = {}) {
  let response;
  try {
    response = await fetch(path, { signal: AbortSignal.timeout(60_000), ...options });
  } catch (error) {
    lost();
    throw new Gone("The server does not answer.", { cause: error });
  }
  if (response.ok) return response;
  const body = await response.json().catch(() => ({}));
  const text = typeof body.error === "string" ? body.error : `The server answered ${response.status}.`;
  if (response.status === CANNOT_WRITE) throw new Full(text);
  throw response.status >= 502 ? new Gone(text) : new Refused(response.status, text);
}

/** @param {Response} response @returns {Promise<any>} */
async function json(response) {
  try {
    return await response.json();
  } catch (error) {
    throw new Gone("The answer of the server broke off.", { cause: error });
  }
}

/** Why something did not come, as a sentence. @param {unknown} error */
export const why = (error) => (error instanceof Gone || error instanceof Refused || error instanceof Full ? error.message : String(error));

/** @param {string} path @returns {Promise<any>} */
export const get = async (path) => json(await ask(path));

/** @param {Act} act @returns {Promise<Answer>} */
export async function post(act) {
  const headers = { "Content-Type": "application/json" };
  return json(await ask("/api/act", { method: "POST", headers, body: JSON.stringify(act) }));
}

/** @param {number} n @returns {Promise<Labels>} */
export async function labels(n) {
  const response = await ask("/api/labels");
  const bytes = await response.arrayBuffer();
  const version = Number(response.headers.get("X-Version"));
  return { version, group: new Int32Array(bytes, 0, n), decided: new Uint8Array(bytes, 4 * n, n) };
}

/** Places on the map: x0 y0 x1 y1 … */
export async function map() {
  return new Float32Array(await (await ask("/api/map")).arrayBuffer());
}

/**
 * Hear of every change, of this tab and of others.
 * @param {(version: number, estimated: boolean) => void} onNews
 * @param {() => void} onLost
 */
export function listen(onNews, onLost) {
  const source = new EventSource("/api/events");
  source.onmessage = (event) => {
    const { version, estimated } = JSON.parse(event.data);
    onNews(version, estimated);
  };
  source.onerror = () => {
    source.close();
    onLost();
  };
  return source;
}
