// Files that the person sends: uploaded to the bucket of the HTTP channel, and then named in a message.

import { ParleyError, TEMPORARY } from "./requests.js";
import { answer } from "./parley.js";

/** Bytes of a file, as the HTTP channel takes them. */
export const MAX_FILE = 10_485_760;
/** Milliseconds before the next try, and tries. */
const RETRY = { pause: 1000, tries: 3 };
/** What S3 answers if the file is there already. */
const THERE = 412;
/** The media types that the HTTP channel takes. */
const TYPE = /^[a-z0-9][a-z0-9.+-]{0,63}\/[a-z0-9][a-z0-9.+-]{0,63}$/i;

/**
 * Upload a file. `key`: the same for each try. Returns what a message names. Raises ParleyError.
 *
 * @param {File} file @param {string} key
 * @param {(wanted: {type: string, size: number}, key: string) => Promise<any>} announce Asks where to upload it.
 * @returns {Promise<{id: string, type: string, name: string}>}
 */
export async function upload(file, key, announce) {
  const type = TYPE.test(file.type) ? file.type : "application/octet-stream";
  return again(async () => {
    const { id, url, headers } = await announce({ type, size: file.size }, key);
    // A browser sets the length itself, and refuses to have it set.
    const { "Content-Length": _length, ...others } = headers;
    const { ok, status } = await fetch(url, { method: "PUT", headers: others, body: file });
    if (!ok && status !== THERE) throw new ParleyError(status, "not_uploaded", "");
    return { id, type, name: file.name.slice(0, 255) };
  });
}

/** `POST` of a JSON document with an idempotency key. Raises ParleyError. @param {string} address @param {unknown} body @param {string} key @param {Record<string, string>} [headers] */
export async function post(address, body, key, headers = {}) {
  const all = { ...headers, "Content-Type": "application/json", "Idempotency-Key": key };
  return answer(await fetch(address, { method: "POST", headers: all, body: JSON.stringify(body) }));
}

/** The result of `act`, which is tried again if that can help. @template T @param {() => Promise<T>} act @returns {Promise<T>} */
async function again(act) {
  for (let tries = 1; ; tries += 1) {
    try {
      return await act();
    } catch (error) {
      // fetch raises TypeError if there is no answer.
      const found = error instanceof ParleyError ? error : new ParleyError(0, "unavailable", "");
      if (tries === RETRY.tries || !TEMPORARY.has(found.status)) throw found;
    }
    await new Promise((done) => setTimeout(done, RETRY.pause * tries));
  }
}
