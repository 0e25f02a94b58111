// The order of the replies in one conversation: each is passed on once, and after all earlier ones.

/** @typedef {{[field: string]: any}} Frame */

export class Room {
  /** How often the present gap has been asked for. */
  asked = 0;
  /** @type {number | null} The number of the last reply that was passed on. */
  #last;
  /** @type {Map<number, Frame>} Replies that came before earlier ones. */
  #held = new Map();
  #isOpen = false;
  /** The lowest number after which the client has asked for replies on this connection. */
  #lowest = Infinity;
  /** After the reply with this number, there are more to ask for. */
  #page = NaN;

  /** @param {number | null} [last] The last reply that an earlier page has had. */
  constructor(last = null) {
    this.#last = last;
  }

  /** The number of the last reply that was passed on. Null: not known before the server has answered the first `open`. */
  get last() {
    return this.#last;
  }

  /** The connection is lost. All that was not passed on comes again on the next one. */
  reset() {
    this.#isOpen = false;
    this.#held.clear();
    this.#lowest = Infinity;
    this.#page = NaN;
    this.asked = 0;
  }

  /** The client asks for the replies after a number, which this returns. Null: after the last acknowledged one. */
  ask() {
    this.#page = NaN;
    if (this.#last !== null) this.#lowest = Math.min(this.#lowest, this.#last);
    return this.#last;
  }

  /** The server has answered: replies after `cursor` follow. Returns the numbers of those that it does not have any more. @param {Frame} frame */
  begin({ cursor, last, more }) {
    const before = Number(cursor);
    this.#isOpen = true;
    this.#page = more ? Number(last) : NaN;
    if (before < this.#lowest && this.#lowest < Infinity) {
      // The server does not know the number: its data were deleted. It counts anew.
      this.#held.clear();
      this.#lowest = this.#last = before;
      return null;
    }
    if (!(before > (this.#last ?? -1))) return null;
    const lost = this.#last === null ? null : { from: this.#last + 1, to: before };
    this.#last = before;
    for (const number of this.#held.keys()) if (number <= before) this.#held.delete(number);
    return lost;
  }

  /** A reply came. Returns false if it has come before. @param {Frame} frame */
  put(frame) {
    const number = Number(frame.cursor);
    if (!Number.isSafeInteger(number) || number <= (this.#last ?? -1) || this.#held.has(number)) return false;
    this.#held.set(number, frame);
    return true;
  }

  /** The reply that follows the last one, if it is there. */
  next() {
    return this.#isOpen && this.#last !== null ? this.#held.get(this.#last + 1) : undefined;
  }

  /** That reply has been passed on. */
  pass() {
    this.#last = (this.#last ?? 0) + 1;
    this.#held.delete(this.#last);
    this.asked = 0;
  }

  /** Whether a page is complete, and there are more replies to ask for. */
  get hasMore() {
    return this.#page <= (this.#last ?? -1);
  }

  /** Whether replies wait for one that is missing. */
  get hasGap() {
    return this.#isOpen && this.#held.size > 0 && !this.next();
  }
}
