// What the next page of the same person goes on with: the last reply of each room, and the unsent messages.

/** @typedef {{key: string, message: import("./parley.js").Message}} Unsent */

export class Stored {
  person = "";
  /** @type {Map<string, number>} The number of the last reply of each room. */
  last = new Map();
  /** @type {Unsent[]} */
  unsent = [];
  #storage;
  #place;

  /** @param {string} app @param {Storage} [storage] */
  constructor(app, storage) {
    this.#storage = storage;
    this.#place = `parley:${app}`;
    try {
      const found = JSON.parse(storage?.getItem(this.#place) || "{}");
      if (typeof found.person !== "string") return;
      this.person = found.person;
      this.last = new Map(Object.entries(found.last).filter((/** @type {[string, any]} */ [, last]) => Number.isSafeInteger(last)));
      this.unsent = found.unsent.filter((/** @type {any} */ one) => typeof one?.key === "string" && one.message);
    } catch {
      // The storage is off, or holds something else.
    }
  }

  /** Store it, once it is known whose it is: before, it is kept by this page only. */
  save() {
    if (!this.person) return;
    const kept = { person: this.person, last: Object.fromEntries(this.last), unsent: this.unsent };
    try {
      this.#storage?.setItem(this.#place, JSON.stringify(kept));
    } catch {
      // The storage is off or full.
    }
  }

  /** It belongs to that person. Returns whether it was another person's: then nothing of it is left. @param {string} person */
  belongTo(person) {
    const isOther = this.person !== "" && this.person !== person;
    this.person = person;
    if (isOther) {
      this.last.clear();
      this.unsent = [];
    }
    this.save();
    return isOther;
  }
}
