// A client of the HTTP channel for browsers. It sends messages and gets replies over a WebSocket, each once and in order,
// also when the connection is lost. README.md shows how to use it.

import { ParleyError, TEMPORARY, largeReply, ticketOf } from "./requests.js";
import { Room } from "./room.js";
import { Stored } from "./stored.js";

export { ParleyError, answer } from "./requests.js";

const VERSION = 1;
/** API Gateway takes frames of at most 32 KB, and a browser sends a message as one frame. */
const MAX_BYTES = 32 * 1024;
/** How often missing replies are asked for before the client connects again. */
const MAX_ASKED = 3;

/** Milliseconds. */
export const TIMES = {
  answer: 15_000, // a connection counts as dead if an answer takes longer
  check: 300_000, // API Gateway ends a connection that is idle for ten minutes
  retry: 1000, // before the second attempt to connect; it doubles with each attempt
  retryMax: 60_000,
  stable: 10_000, // after a connection that has lasted this long, the attempts are counted anew
  gap: 400, // a reply may come this much later than the next one
  early: 60_000, // a connection is replaced this long before it ends
  longest: 110 * 60_000, // API Gateway ends each connection after two hours
};

/**
 * @typedef {{[field: string]: any}} Frame
 * @typedef {{ticket: string, url: string}} Ticket The answer to `POST /v1/{app}/tickets`.
 * @typedef {{id: string, value?: string, message_id?: string, form?: Record<string, string>, options?: string[]}} Press
 * @typedef {{id: string, type: string, name?: string}} Media Uploaded before, with `POST /v1/{app}/media`.
 * @typedef {{text?: string, media?: Media[], action?: Press, room?: string, thread?: string, reply_to?: string, locale?: string}} Message
 *
 * @typedef {object} Options
 * @property {string} app The name of the app.
 * @property {() => Promise<Ticket>} [ticket] Returns a new ticket, which the site's own server has got.
 * @property {(room: string, after: number) => Promise<{replies: object[]}>} [replies] With `ticket`: reads replies through
 * the site's own server. It is called for those that are too large for a frame.
 * @property {() => string | Promise<string>} [token] Instead of both: returns a JWT of the person. The client then gets
 * tickets and large replies itself, at `api`.
 * @property {string} [api] The address of the REST API, without `/v1`.
 * @property {string} [url] The address of the WebSocket API, if it is not the one that comes with the ticket.
 * @property {Storage} [storage] Keeps unsent messages and the last numbers for the next page. With `sessionStorage`, each
 * tab has its own; `localStorage` is for sites that are open in one tab.
 * @property {Partial<typeof TIMES>} [times]
 */

/**
 * A connection that is made again whenever it is lost. It sends CustomEvents, with these details:
 *
 * - `state`: `{state, person, seconds}`: `connecting`, `ready`, `waiting` (`seconds` until the next attempt), `stopped`
 * - `reply`: `{room, cursor, reply}`: each reply, once and in order. It is acknowledged after the listeners have run.
 * - `accepted`: `{key, message, id}`: the server has stored the message.
 * - `refused`: `{key, message, status, error, detail}`: the server does not take the message. It is not sent again.
 * - `typing`: `{room}`: the bot works on a message.
 * - `lost`: `{room, from, to}`: numbers of replies that are not stored any more.
 * - `person`: `{person}`: another person than before. Nothing of the previous one is left in the storage.
 * - `error`: `{status, error, detail, room}`: for logs. The client tries again where that can help.
 */
export class Parley extends EventTarget {
  /** @type {Options} */ #options;
  /** @type {typeof TIMES} */ #times;
  /** @type {Stored} */ #stored;
  /** @type {WebSocket | null} */ #socket = null;
  /** @type {Map<string, Room>} */ #rooms = new Map();
  /** @type {Map<string, number>} Replies that were passed on and are not acknowledged. */ #handled = new Map();
  /** @type {Map<string, ReturnType<typeof setTimeout>>} Timers of the connection. */ #timers = new Map();
  #connection = {}; // another object for each connection: an earlier one has no effect any more
  #state = "stopped";
  #inFlight = ""; // the key of the message that waits for its answer
  #attempts = 0;

  /** @param {Options} options Raises TypeError if there is no way to get a ticket. */
  constructor(options) {
    super();
    if (!options.app) throw new TypeError("app: the name of the app is missing");
    if (!options.ticket && !(options.token && options.api)) throw new TypeError("expected `ticket`, or `token` and `api`");
    this.#options = options;
    this.#times = { ...TIMES, ...options.times };
    this.#stored = new Stored(options.app, options.storage);
  }

  /** `stopped`, `connecting`, `ready` or `waiting`. */
  get state() {
    return this.#state;
  }

  /** The messages that the server has not stored yet, in order: `{key, message}`. */
  get unsent() {
    return [...this.#stored.unsent];
  }

  /** Connect, and stay connected until `stop`. */
  start() {
    if (this.#state !== "stopped") return;
    for (const [target, event] of AWAKE) target?.addEventListener(event, this.#wake);
    this.#connect();
  }

  /** End the connection. Unsent messages are kept for the next `start`. */
  stop() {
    for (const [target, event] of AWAKE) target?.removeEventListener(event, this.#wake);
    this.#acknowledge();
    this.#drop();
    this.#show("stopped");
  }

  /** Get the replies of a room, from the last one on that was acknowledged. Without a name: of the direct chat. */
  open(room = "") {
    if (this.#rooms.has(room)) return;
    this.#rooms.set(room, new Room(this.#stored.last.get(room)));
    if (this.#state === "ready") this.#ask(room);
  }

  /**
   * Send a message. It is kept, and sent again on each connection, until the server has stored or refused it.
   *
   * @param {Message | string} message
   * @param {string} [key] Its idempotency key.
   * @returns {string} The key, which `accepted` or `refused` names. Raises RangeError if the message is too large.
   */
  send(message, key = crypto.randomUUID()) {
    const made = typeof message === "string" ? { text: message } : message;
    if (new TextEncoder().encode(JSON.stringify({ ...made, type: "message", key })).length > MAX_BYTES) {
      throw new RangeError(`The message is larger than ${MAX_BYTES} bytes.`);
    }
    this.#stored.unsent.push({ key, message: made });
    this.#stored.save();
    this.#sendNext();
    return key;
  }

  // --- the connection -------------------------------------------------------------------------------------------------

  async #connect() {
    const connection = this.#drop();
    this.#expect("a ticket");
    this.#show("connecting");
    try {
      const { ticket, url } = await ticketOf(this.#options);
      if (connection !== this.#connection) return;
      this.#clear("a ticket");
      const address = new URL(this.#options.url || url);
      address.searchParams.set("app", this.#options.app);
      address.searchParams.set("ticket", ticket);
      const socket = new WebSocket(address);
      const listen = (/** @type {string} */ event, /** @type {(event: any) => void} */ listener) =>
        socket.addEventListener(event, (found) => socket === this.#socket && listener(found));
      this.#socket = socket;
      this.#expect("ready");
      listen("open", () => this.#push({ type: "hello", version: VERSION }));
      listen("message", ({ data }) => this.#receive(data));
      listen("close", () => this.#retry());
    } catch (error) {
      if (connection !== this.#connection) return;
      this.#report(error);
      this.#retry();
    }
  }

  /** End this connection. Returns the object that stands for the next one. */
  #drop() {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    for (const room of this.#rooms.values()) room.reset();
    this.#inFlight = "";
    this.#connection = {};
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
    return this.#connection;
  }

  /** Connect again, after a pause that grows with each attempt and differs between clients. */
  #retry() {
    this.#drop();
    const pause = Math.min(this.#times.retryMax, this.#times.retry * 2 ** this.#attempts) * (0.5 + Math.random() / 2);
    this.#attempts = Math.min(this.#attempts + 1, 20);
    this.#after(pause, "retry", () => this.#connect());
    this.#show("waiting", { seconds: pause / 1000 });
  }

  /** The network or the person is back, or the network is gone: do not wait for the time limits. */
  #wake = () => {
    if (globalThis.document?.hidden) return;
    if (this.#state === "ready") this.#check();
    else if (this.#state === "waiting" && navigator.onLine) this.#connect();
  };

  /** Find out whether the connection is alive, and whether a reply got lost on it. */
  #check() {
    for (const room of this.#rooms.keys()) this.#ask(room);
    if (!this.#rooms.size) {
      this.#push({ type: "ping" });
      this.#expect("pong");
    }
    this.#after(this.#times.check, "check", () => this.#check());
  }

  /** Call `act` after `pause` ms, unless the connection ends before. @param {number} pause @param {string} name @param {() => void} act */
  #after(pause, name, act) {
    this.#clear(name);
    this.#timers.set(name, setTimeout(() => (this.#timers.delete(name), act()), pause));
  }

  /** @param {string} name */
  #clear(name) {
    clearTimeout(this.#timers.get(name));
    this.#timers.delete(name);
  }

  /** The connection counts as dead unless `#clear(answer)` is called in time. @param {string} answer */
  #expect(answer) {
    if (this.#timers.has(answer)) return;
    this.#after(this.#times.answer, answer, () => {
      this.#report(new ParleyError(0, "timeout", `There was no answer in time: ${answer}.`));
      this.#retry();
    });
  }

  /** @param {Frame} frame */
  #push(frame) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(frame));
  }

  // --- frames of the server -------------------------------------------------------------------------------------------

  /** @param {string} data */
  #receive(data) {
    let frame;
    try {
      frame = JSON.parse(data);
    } catch {
      return this.#report(new ParleyError(0, "malformed", "The server has sent a frame that is not JSON."));
    }
    const room = frame?.room ?? "";
    switch (frame?.type) {
      case "ready":
        return this.#ready(frame);
      case "opened":
        return this.#opened(room, frame);
      case "reply":
        return this.#rooms.get(room)?.put(frame) && this.#deliver(room);
      case "accepted":
        return frame.key === this.#inFlight && this.#settle("accepted", { id: frame.id });
      case "typing":
        return this.#emit("typing", { room });
      case "pong":
        return this.#clear("pong");
      case "error":
        return this.#failed(frame);
    }
  }

  /** @param {Frame} frame */
  #ready({ person, until }) {
    const connection = this.#connection;
    const { early, longest, stable, check } = this.#times;
    const left = until * 1000 - Date.now();
    // The clock of this machine may be wrong by hours. The client must not connect again and again then.
    const life = left > early ? Math.min(left - early * (1 + Math.random() / 2), longest) : longest;
    this.#clear("ready");
    this.#after(Math.max(life, stable), "renew", () => this.#connect());
    this.#after(stable, "stable", () => (this.#attempts = 0));
    this.#after(check, "check", () => this.#check());
    if (this.#stored.belongTo(person)) {
      this.#handled.clear();
      for (const room of this.#rooms.keys()) this.#rooms.set(room, new Room());
      this.#emit("person", { person });
      if (connection !== this.#connection) return; // a listener has called `stop`
    }
    for (const room of this.#rooms.keys()) this.#ask(room);
    this.#acknowledge();
    this.#show("ready", { person });
    this.#sendNext();
  }

  /** @param {Frame} frame */
  #failed({ status = 0, error = "", detail = "", key, room, retry_after: seconds = 1 }) {
    const isFinal = !TEMPORARY.has(status);
    // The answer to a frame that is too large names no key.
    const isOfMessage = this.#inFlight && (key === this.#inFlight || (status === 413 && !key));
    if (isOfMessage && isFinal) return this.#settle("refused", { status, error, detail });
    this.#report({ status, error, message: detail, room });
    if (status === 401) return; // the server ends the connection
    if (isOfMessage) {
      this.#clear("accepted");
      this.#after(seconds * 1000, "again", () => ((this.#inFlight = ""), this.#sendNext()));
    } else if (this.#rooms.has(room)) {
      this.#clear(`opened ${room}`);
      if (isFinal) this.#rooms.delete(room);
      else this.#after(seconds * 1000, `open ${room}`, () => this.#ask(room));
    }
  }

  // --- messages -------------------------------------------------------------------------------------------------------

  /** Send the first unsent message, unless one waits for its answer: the server may handle two at once in any order. */
  #sendNext() {
    if (this.#state !== "ready" || this.#inFlight || !this.#stored.unsent.length) return;
    const [{ key, message }] = this.#stored.unsent;
    // The first replies of all come after the answer to `open` only if the message is sent after it.
    if (this.#rooms.get(message.room ?? "")?.last === null) return;
    this.#inFlight = key;
    this.#push({ ...message, type: "message", key });
    this.#expect("accepted");
  }

  /** The message in flight has its final answer. @param {string} event @param {object} more */
  #settle(event, more) {
    this.#clear("accepted");
    this.#clear("again");
    this.#inFlight = "";
    const settled = this.#stored.unsent.shift();
    this.#stored.save();
    this.#emit(event, { ...settled, ...more });
    this.#sendNext();
  }

  // --- replies --------------------------------------------------------------------------------------------------------

  /** Ask for the replies after the last one. @param {string} name */
  #ask(name) {
    const last = this.#rooms.get(name)?.ask() ?? null;
    this.#push({ type: "open", room: name, ...(last === null ? {} : { after: String(last) }) });
    this.#expect(`opened ${name}`);
  }

  /** @param {string} name @param {Frame} frame */
  #opened(name, frame) {
    this.#clear(`opened ${name}`);
    const lost = this.#rooms.get(name)?.begin(frame);
    if (lost) this.#emit("lost", { room: name, from: String(lost.from), to: String(lost.to) });
    this.#deliver(name);
    this.#sendNext();
  }

  /** Emit the replies that follow the last one without a gap. @param {string} name */
  async #deliver(name) {
    const [room, connection, busy] = [this.#rooms.get(name), this.#connection, `a large reply in ${name}`];
    if (!room || this.#timers.has(busy)) return;
    for (let frame; (frame = room.next()); ) {
      let reply = frame.reply;
      if (frame.large) {
        this.#expect(busy);
        try {
          reply = await largeReply(this.#options, name, Number(frame.cursor));
        } catch (error) {
          if (connection === this.#connection) this.#report(error);
          if (connection === this.#connection) this.#retry(); // the reply comes again on the next connection
        }
        if (connection !== this.#connection) return;
        this.#clear(busy);
      }
      room.pass();
      // A page that dies in a listener gets this reply again: the number is stored after it.
      if (reply) this.#emit("reply", { room: name, cursor: frame.cursor, reply });
      this.#handled.set(name, Number(frame.cursor));
      this.#stored.last.set(name, Number(frame.cursor));
      this.#stored.save();
      if (connection !== this.#connection) return; // a listener has called `stop`
      if (!this.#timers.has("ack")) this.#after(200, "ack", () => this.#acknowledge());
    }
    if (room.hasMore) this.#ask(name);
    if (!room.hasGap) this.#clear(`gap ${name}`);
    else if (!this.#timers.has(`gap ${name}`)) this.#after(this.#times.gap, `gap ${name}`, () => this.#gap(name, room));
  }

  /** A reply is missing: ask for it. @param {string} name @param {Room} room */
  #gap(name, room) {
    if (room.asked === MAX_ASKED) return this.#retry();
    room.asked += 1;
    this.#ask(name);
    this.#after(this.#times.gap * 2 ** room.asked, `gap ${name}`, () => this.#gap(name, room));
  }

  #acknowledge() {
    if (this.#socket?.readyState !== WebSocket.OPEN) return;
    for (const [room, number] of this.#handled) this.#push({ type: "ack", room, cursor: String(number) });
    this.#handled.clear();
  }

  // --- events ---------------------------------------------------------------------------------------------------------

  /** @param {string} state @param {object} [more] */
  #show(state, more) {
    this.#state = state;
    this.#emit("state", { state, ...more });
  }

  /** @param {any} error */
  #report({ status = 0, error = "failed", message = "", room }) {
    this.#emit("error", { status, error, detail: message, room });
  }

  /** @param {string} type @param {object} detail */
  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

/** @type {[EventTarget | undefined, string][]} */
const AWAKE = [[globalThis, "online"], [globalThis, "offline"], [globalThis.document, "visibilitychange"]];
