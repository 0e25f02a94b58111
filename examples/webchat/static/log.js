// The list of messages.

import { h, text } from "./dom.js";
import { draw } from "./segments.js";

/** Elements that the list has at most. */
const MAX_SHOWN = 300;

/** @typedef {import("./dom.js").Fields} Fields */

export class Log {
  #context;
  /** @type {Map<string, HTMLElement>} Messages by key and by id. */
  #known = new Map();

  /** @param {import("./segments.js").Context} context */
  constructor(context) {
    this.#context = context;
    // The list is what screen readers announce: messages that are added, and not each change of one.
    this.element = h("div", { class: "log", role: "log", tabindex: "0", "aria-label": context.words("log"), "aria-relevant": "additions" });
  }

  clear() {
    this.#known.clear();
    this.element.replaceChildren();
  }

  /** Show entries of an earlier page, of which no screen reader speaks. @param {import("./transcript.js").Entry[]} entries */
  restore(entries) {
    if (!entries.length) return;
    this.element.setAttribute("aria-live", "off");
    for (const entry of entries) {
      if ("reply" in entry) this.reply(entry.reply);
      else this.own(entry);
    }
    setTimeout(() => this.element.removeAttribute("aria-live"), 500);
  }

  /** Show a message of the person, or its new state. @param {import("./transcript.js").Own} own */
  own({ key, text: words, id, state, why }) {
    const message = this.#known.get(key) ?? this.#add("own", this.#context.words("you"));
    const t = this.#context.words;
    const note = state === "sending" ? t("sending") : state === "refused" ? t("notSent", { why: why || t("refused") }) : "";
    fill(message, [h("p", { class: "text" }, words)], note && h("p", { class: `note ${state}` }, note));
    this.#known.set(key, message);
    if (id) this.#known.set(id, message);
  }

  /** Show a reply. Returns whether it is a new message. @param {Fields} reply */
  reply(reply) {
    const known = this.#known.get(text(reply.target));
    switch (reply.op) {
      case "react":
        known?.append(h("span", { class: "reaction" }, text(reply.emoji)));
        return false;
      case "recall":
        if (known) fill(known, [h("p", { class: "gone" }, this.#context.words("recalled"))]);
        return false;
      case "edit":
        if (!known) return this.#show({ ...reply, id: reply.target });
        fill(known, draw({ ...reply, id: reply.target }, this.#context), h("p", { class: "note" }, this.#context.words("edited")));
        return false;
      default:
        return this.#show(reply);
    }
  }

  /** A line of the chat itself. @param {string} words */
  notice(words) {
    this.#append(h("p", { class: "notice" }, words));
  }

  /** @param {Fields} reply */
  #show(reply) {
    const id = text(reply.id);
    const isNew = !this.#known.has(id);
    const content = draw(reply, this.#context);
    if (!content.length) return false;
    const message = this.#known.get(id) ?? this.#add("bot", this.#context.words("bot"));
    fill(message, content);
    if (id) this.#known.set(id, message);
    return isNew;
  }

  /** @param {string} side @param {string} who */
  #add(side, who) {
    const bubble = h("div", { class: "bubble" });
    const message = h("div", { class: `message ${side}` }, h("span", { class: "hidden" }, who), bubble);
    this.#append(message);
    return message;
  }

  /** @param {HTMLElement} element */
  #append(element) {
    const { scrollHeight, scrollTop, clientHeight } = this.element;
    const isAtEnd = scrollHeight - scrollTop - clientHeight < 80 || element.classList.contains("own");
    this.element.append(element);
    if (this.element.childElementCount > MAX_SHOWN) this.element.firstElementChild?.remove();
    if (isAtEnd) requestAnimationFrame(() => (this.element.scrollTop = this.element.scrollHeight));
  }
}

/** Replace the content of a message. Its pictures move what is below, so the list stays at its end. @param {HTMLElement} message @param {Node[]} content @param {HTMLElement | string | null} [note] */
function fill(message, content, note = null) {
  const bubble = /** @type {HTMLElement} */ (message.querySelector(".bubble"));
  for (const old of bubble.querySelectorAll("[src], [href]")) {
    const address = old.getAttribute("src") ?? old.getAttribute("href") ?? "";
    if (address.startsWith("blob:")) URL.revokeObjectURL(address);
  }
  bubble.replaceChildren(...content);
  message.querySelector(":scope > .note")?.remove();
  if (note) message.append(note);
}
