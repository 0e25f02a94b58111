// <parley-chat>: a chat with the bot in a corner of the page. README.md shows how to embed it.

import { h, icon } from "./dom.js";
import { Log } from "./log.js";
import { Parley, answer } from "./parley.js";
import { Transcript } from "./transcript.js";
import { MAX_FILE, post, upload } from "./upload.js";
import { wordsOf } from "./words.js";

/** Attributes of the element, and `data-` attributes of the script. */
const ATTRIBUTES = ["app", "ticket", "replies", "media", "api", "token", "room", "heading", "greeting"];
/** Milliseconds. */
const TYPING = 5000;
const QUIET = 1500; // a connection that is made again this fast is no news

export class ParleyChat extends HTMLElement {
  /** The connection, for the scripts of the page. @type {Parley | undefined} */
  client;
  #language = "";
  #words = wordsOf("en");
  #log = new Log({ words: this.#words, press: () => {} });
  #transcript = new Transcript("", "");
  #isLoaded = false;
  #isSignedOut = false;
  #unread = 0;
  #typing = 0;
  #news = 0;
  #parts = /** @type {ReturnType<typeof build>} */ ({});

  connectedCallback() {
    if (this.client) return void (this.#isLoaded && this.client.start()); // it has been moved to another place of the page
    this.#language = (this.closest("[lang]")?.getAttribute("lang") || navigator.language || "en").trim();
    this.#words = wordsOf(this.#language);
    this.#log = new Log({ words: this.#words, press: (press, label) => this.#send({ action: press }, label) });
    this.#transcript = new Transcript(this.#of("app"), this.#of("room"));
    this.#parts = build(this.#words, this.#of("heading") || this.#words("heading"), this.#log.element);
    const style = h("link", { rel: "stylesheet", href: new URL("parley-chat.css", import.meta.url).href });
    style.addEventListener("load", () => (this.#parts.root.hidden = false));
    this.attachShadow({ mode: "open" }).append(style, this.#parts.root);
    this.#parts.attach.hidden = !this.#of("media");
    this.#parts.root.lang = /^zh\b/i.test(this.#language) ? "zh" : "en";
    this.#listen();
    this.client = new Parley(this.#options());
    this.client.open(this.#of("room"));
    this.#follow(this.client);
    this.#greet();
    if (this.#transcript.isKnown) this.client.start();
  }

  disconnectedCallback() {
    this.client?.stop();
  }

  /** Show the conversation. */
  open() {
    const { panel, launcher, text } = this.#parts;
    if (!panel.hidden) return;
    panel.hidden = false;
    launcher.setAttribute("aria-expanded", "true");
    this.#remember(true);
    this.#count(0);
    this.#log.element.scrollTop = this.#log.element.scrollHeight;
    text.focus();
    this.client?.start();
  }

  /** Hide the conversation. The connection lasts, so that the launcher can show new messages. */
  close() {
    const { panel, launcher } = this.#parts;
    if (panel.hidden) return;
    panel.hidden = true;
    launcher.setAttribute("aria-expanded", "false");
    this.#remember(false);
    launcher.focus();
  }

  // --- the person -----------------------------------------------------------------------------------------------------

  #listen() {
    const { launcher, panel, close, form, text, attach, files } = this.#parts;
    attach.addEventListener("click", () => files.click());
    files.addEventListener("change", () => {
      for (const file of files.files ?? []) this.#upload(file);
      files.value = ""; // the same file can be chosen again
      text.focus();
    });
    launcher.addEventListener("click", () => (panel.hidden ? this.open() : this.close()));
    close.addEventListener("click", () => this.close());
    panel.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || event.isComposing) return;
      event.stopPropagation();
      this.close();
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const words = text.value.trim();
      if (words && this.#send({ text: words }, words)) text.value = "";
      text.focus();
    });
    text.addEventListener("keydown", (event) => {
      // Enter ends the choice of characters of an input method, and sends nothing then.
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      form.requestSubmit();
    });
  }

  /** Send a message, which people see as `words`. Returns whether it is on its way. @param {import("./parley.js").Message} message @param {string} words */
  #send(message, words) {
    const key = crypto.randomUUID();
    const room = this.#of("room");
    const entry = /** @type {import("./transcript.js").Own} */ ({ key, text: words, state: "sending" });
    this.#transcript.add(entry);
    this.#log.own(entry);
    try {
      this.client?.send({ ...message, locale: this.#language, ...(room ? { room } : {}) }, key);
      return true;
    } catch {
      this.#settle(key, { state: "refused", why: this.#words("tooLong") });
      return false;
    }
  }

  /** Upload a file, and send it. @param {File} file */
  async #upload(file) {
    const key = crypto.randomUUID();
    const room = this.#of("room");
    const entry = /** @type {import("./transcript.js").Own} */ ({ key, text: file.name, state: "sending", isFile: true });
    this.#transcript.add(entry);
    this.#log.own(entry);
    const refuse = (/** @type {import("./words.js").Word} */ why) => this.#settle(key, { state: "refused", why: this.#words(why), isFile: false });
    if (!file.size) return refuse("fileEmpty");
    if (file.size > MAX_FILE) return refuse("fileTooLarge");
    const person = this.#transcript.person;
    try {
      const media = await upload(file, key, (wanted) => this.#announce(wanted, key));
      if (person !== this.#transcript.person) return; // another person has signed in meanwhile
      this.#settle(key, { isFile: false });
      this.client?.send({ media: [media], locale: this.#language, ...(room ? { room } : {}) }, key);
    } catch (error) {
      console.info("parley-chat:", error);
      refuse(/** @type {{status?: number}} */ (error).status === 404 ? "noFiles" : "notUploaded");
    }
  }

  /** Ask the server of the site, or Parley itself, where to upload a file. @param {{type: string, size: number}} wanted @param {string} key */
  async #announce(wanted, key) {
    const { api, token, app } = this.#options();
    if (!token) return post(this.#of("media"), wanted, key);
    const address = `${(api ?? "").replace(/\/+$/, "")}/v1/${encodeURIComponent(app)}/media`;
    return post(address, wanted, key, { Authorization: `Bearer ${await token()}` });
  }

  // --- the connection -------------------------------------------------------------------------------------------------

  /** @returns {import("./parley.js").Options} */
  #options() {
    const [api, app, ticket, token, replies] = ["api", "app", "ticket", "token", "replies"].map((name) => this.#of(name));
    const post = async (/** @type {string} */ address) => answer(await fetch(address, { method: "POST" }));
    const read = async (/** @type {string} */ room, /** @type {number} */ after) =>
      answer(await fetch(`${replies}?${new URLSearchParams({ room, after: String(after) })}`));
    return {
      app,
      api,
      ticket: ticket ? () => post(ticket) : undefined,
      replies: replies ? read : undefined,
      token: token ? async () => (await post(token)).token : undefined,
      storage: storage(),
    };
  }

  /** @param {Parley} client */
  #follow(client) {
    const on = (/** @type {string} */ event, /** @type {(detail: any) => void} */ listener) =>
      client.addEventListener(event, (found) => listener(/** @type {CustomEvent} */ (found).detail));
    on("state", (detail) => this.#show(detail));
    on("accepted", ({ key, id }) => this.#settle(key, { id, state: "sent" }));
    on("refused", ({ key, detail }) => this.#settle(key, { state: "refused", why: detail }));
    on("reply", ({ reply, room }) => room === this.#of("room") && this.#reply(reply));
    on("typing", ({ room }) => room === this.#of("room") && this.#type(true));
    on("lost", () => this.#log.notice(this.#words("lost")));
    on("person", ({ person }) => {
      this.#transcript.clear(person);
      this.#redraw();
    });
    on("error", ({ status, error, detail }) => {
      console.info(`parley-chat: ${status} ${error} ${detail}`);
      this.#isSignedOut = status === 401 || status === 403;
    });
  }

  /** @param {{state: string, person?: string}} detail */
  #show({ state, person }) {
    if (state === "ready") {
      clearTimeout(this.#news);
      this.#news = 0;
      this.#isSignedOut = false;
      this.#say("");
      if (!this.#isLoaded) this.#load(person ?? "");
    } else {
      this.#type(false);
      this.#news ||= setTimeout(() => this.#say(this.#words("connecting")), QUIET);
      if (state === "waiting" && this.#parts.status.textContent) this.#say(this.#words(this.#isSignedOut ? "signedOut" : "waiting"));
    }
  }

  /** The person is known: show what the earlier page of the tab has shown. @param {string} person */
  #load(person) {
    this.#isLoaded = true;
    const isOpen = !this.#parts.panel.hidden;
    this.#transcript.load(person);
    const unsent = new Set(this.client?.unsent.map(({ key }) => key));
    for (const entry of this.#transcript.entries) {
      // The page ended between the answer and this.
      if (!("key" in entry) || entry.state !== "sending" || unsent.has(entry.key)) continue;
      if (entry.isFile) Object.assign(entry, { state: "refused", why: this.#words("notUploaded"), isFile: false });
      else entry.state = "sent";
    }
    this.#redraw();
    if (this.#transcript.isOpen && !isOpen) {
      this.#parts.panel.hidden = false; // the focus stays where it is on the new page
      this.#parts.launcher.setAttribute("aria-expanded", "true");
    }
  }

  /** @param {string} key @param {Partial<import("./transcript.js").Own>} change */
  #settle(key, change) {
    const own = this.#transcript.settle(key, change);
    if (own) this.#log.own(own);
  }

  /** @param {import("./dom.js").Fields} reply */
  #reply(reply) {
    this.#transcript.add({ reply });
    this.#type(false);
    if (this.#log.reply(reply) && this.#parts.panel.hidden) this.#count(this.#unread + 1);
  }

  // --- what is shown --------------------------------------------------------------------------------------------------

  #redraw() {
    this.#log.clear();
    this.#greet();
    this.#log.restore(this.#transcript.entries);
  }

  #greet() {
    const greeting = this.#of("greeting");
    if (greeting) this.#log.reply({ segments: [{ type: "text", text: greeting }] });
  }

  /** @param {boolean} isTyping */
  #type(isTyping) {
    clearTimeout(this.#typing);
    this.#parts.typing.hidden = !isTyping;
    if (isTyping) this.#typing = setTimeout(() => this.#type(false), TYPING);
  }

  /** Say it once: a screen reader reads each change. @param {string} words */
  #say(words) {
    if (this.#parts.status.textContent !== words) this.#parts.status.textContent = words;
  }

  /** @param {number} unread */
  #count(unread) {
    this.#unread = unread;
    this.#parts.badge.textContent = unread ? String(unread) : "";
    this.#parts.badge.hidden = !unread;
    this.#parts.news.textContent = unread ? this.#words("unread", { count: unread }) : "";
  }

  /** @param {boolean} isOpen */
  #remember(isOpen) {
    this.#transcript.isOpen = isOpen;
    this.#transcript.save();
  }

  /** @param {string} name */
  #of(name) {
    return this.getAttribute(name) ?? "";
  }
}

/** The elements of the chat. @param {import("./words.js").Words} t @param {string} heading @param {HTMLElement} log */
function build(t, heading, log) {
  const badge = h("span", { class: "badge", "aria-hidden": "true", hidden: true });
  const news = h("span", { class: "hidden", role: "status" });
  const launcher = h("button", { type: "button", class: "launcher", "aria-expanded": "false", "aria-controls": "panel", "aria-label": t("open") }, icon("chat"), badge);
  const close = h("button", { type: "button", class: "icon", "aria-label": t("close") }, icon("close"));
  const status = h("p", { class: "status", role: "status" });
  const typing = h("p", { class: "typing", hidden: true }, h("span", { class: "hidden" }, t("typing")), h("i"), h("i"), h("i"));
  const text = h("textarea", { rows: "1", "aria-label": t("write"), placeholder: t("write"), enterkeyhint: "send", maxlength: "8000" });
  const attach = h("button", { type: "button", class: "icon attach", "aria-label": t("attach"), title: t("attach"), hidden: true }, icon("attach"));
  const files = h("input", { type: "file", multiple: true, hidden: true, tabindex: "-1", "aria-hidden": "true" });
  const form = h("form", { class: "composer" }, attach, files, text, h("button", { class: "icon send", "aria-label": t("send") }, icon("send")));
  const head = h("header", {}, h("h2", { id: "heading" }, heading), close);
  const panel = h("section", { class: "panel", id: "panel", role: "dialog", "aria-labelledby": "heading", hidden: true }, head, status, log, typing, form);
  const root = h("div", { class: "root", hidden: true }, launcher, news, panel);
  return { badge, news, launcher, close, status, typing, text, attach, files, form, panel, root };
}

/** The storage of the tab; none if the browser refuses it. */
function storage() {
  try {
    return sessionStorage;
  } catch {
    return undefined;
  }
}

customElements.define("parley-chat", ParleyChat);

// One script tag is enough: its `data-` attributes are those of the element, which it adds to the page.
const script = [...document.querySelectorAll("script")].find(({ src, dataset }) => src === import.meta.url && dataset.app);
if (script) {
  const attributes = ATTRIBUTES.map((name) => [name, script.dataset[name] ?? ""]);
  const chat = document.createElement("parley-chat");
  for (const [name, value] of attributes) chat.setAttribute(name, value);
  document.body.append(chat);
}
