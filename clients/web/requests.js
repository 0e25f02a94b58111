// Requests beside the WebSocket: tickets, and replies that are too large for a frame.

/** Statuses after which the same request can succeed. 0: there was no answer. */
export const TEMPORARY = new Set([0, 401, 408, 425, 429, 500, 502, 503, 504]);

/** A request that failed. `status` is 0 if there was no answer. */
export class ParleyError extends Error {
  /** @param {number} status @param {string} error @param {string} detail */
  constructor(status, error, detail) {
    super(detail || error);
    this.status = status;
    this.error = error;
  }
}

/** The body of a response of the REST API, or of a server that passes it on. Raises ParleyError. @param {Response} response */
export async function answer(response) {
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw new ParleyError(response.status, body.error ?? "", body.detail ?? "");
  return body;
}

/** A ticket for one connection. Raises an error. @param {import("./parley.js").Options} options */
export async function ticketOf(options) {
  const found = await (options.ticket?.() ?? rest(options, "tickets", "POST"));
  if (typeof found?.ticket !== "string") throw new ParleyError(0, "malformed", "The answer has no ticket.");
  return found;
}

/**
 * The reply with that number. Null: it has expired. Raises an error if it can be read later.
 *
 * @param {import("./parley.js").Options} options @param {string} room @param {number} number
 * @returns {Promise<object | null>}
 */
export async function largeReply(options, room, number) {
  const unreadable = { op: "send", segments: [], large: true };
  if (!options.replies && !options.token) return unreadable;
  const path = `conversations/${encodeURIComponent(room || "me")}/replies?after=${number - 1}`;
  try {
    const { replies } = await (options.replies?.(room, number - 1) ?? rest(options, path, "GET"));
    return replies[0] ?? null;
  } catch (error) {
    if (error instanceof ParleyError && !TEMPORARY.has(error.status)) return unreadable;
    throw error;
  }
}

/** @param {import("./parley.js").Options} options @param {string} path @param {string} method */
async function rest({ api = "", app, token }, path, method) {
  const headers = { Authorization: `Bearer ${await token?.()}` };
  const address = `${api.replace(/\/+$/, "")}/v1/${encodeURIComponent(app)}/${path}`;
  return answer(await fetch(address, { method, headers, cache: "no-store" }));
}
