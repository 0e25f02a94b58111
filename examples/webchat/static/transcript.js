// The conversation as the page shows it. It lasts as long as the tab, so that the next page of the site goes on with it.

/** The newest entries are kept. */
const MAX_ENTRIES = 100;

/**
 * @typedef {{key: string, text: string, id?: string, state: "sending" | "sent" | "refused", why?: string, isFile?: boolean}} Own
 * @typedef {{reply: import("./dom.js").Fields}} Bots
 * @typedef {Own | Bots} Entry
 */

export class Transcript {
  /** @type {Entry[]} */ entries = [];
  /** Whether the person had the chat open. */
  isOpen = false;
  #person = "";
  #place;

  /** @param {string} app @param {string} room */
  constructor(app, room) {
    this.#place = `parley-chat:${app}:${room}`;
  }

  /** Whose the conversation is. Empty until the first connection. */
  get person() {
    return this.#person;
  }

  /** Whether an earlier page of this tab had a conversation. */
  get isKnown() {
    return this.#read() !== null;
  }

  /** Go on with what an earlier page has stored, if it is of the same person. Call it once. @param {string} person */
  load(person) {
    this.#person = person;
    const found = this.#read();
    if (found?.person === person && Array.isArray(found.entries)) {
      this.entries = [...found.entries, ...this.entries];
      this.isOpen ||= found.isOpen === true;
    }
    this.save();
  }

  /** Another person: nothing of the previous one is shown. @param {string} person */
  clear(person) {
    this.entries = [];
    this.#person = person;
    this.save();
  }

  /** @param {Entry} entry */
  add(entry) {
    this.entries = [...this.entries, entry].slice(-MAX_ENTRIES);
    this.save();
  }

  /** The person's message with that key has its final answer. @param {string} key @param {Partial<Own>} change */
  settle(key, change) {
    const found = this.entries.find((entry) => "key" in entry && entry.key === key);
    if (found) Object.assign(found, change);
    this.save();
    return /** @type {Own | undefined} */ (found);
  }

  save() {
    if (!this.#person) return;
    for (let kept = this.entries; ; kept = kept.slice(Math.ceil(kept.length / 2))) {
      try {
        return sessionStorage.setItem(this.#place, JSON.stringify({ person: this.#person, isOpen: this.isOpen, entries: kept }));
      } catch {
        if (!kept.length) return; // the storage is off
      }
    }
  }

  #read() {
    try {
      return JSON.parse(sessionStorage.getItem(this.#place) ?? "null");
    } catch {
      return null;
    }
  }
}
