// The middle: the room's name, its messages.

import * as api from "/static/js/api.js";
import { avatar, h, icon, roving, toast } from "/static/js/dom.js";
import { label, language, named, t } from "/static/js/i18n.js";
import { drawParts, framed } from "/static/js/parts.js";
import { changed, on, person, platform, room, state } from "/static/js/state.js";
import { call, chips } from "/static/js/composer.js";
import { hasCommands, menuOf, onMessage } from "/static/js/picker.js";

const GROUP_SECONDS = 180;
let head, banner, log;

export function conversation(main, composer) {
  head = h("header", { class: "room-head" });
  banner = h("div", { class: "banner", role: "status" });
  log = h("div", { class: "log", id: "log", role: "log", tabindex: "-1" });
  main.append(head, banner, log, composer);
  roving(log, ".msg, .note button");
  log.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !event.target.classList.contains("msg")) return;
    // The trace takes the focus: its close button must not get this key as well.
    event.preventDefault();
    changed("open", event.target.dataset.id);
  });
  on("place language", () => { drawHead(); drawLog(); });
  on("rooms", drawHead);
  on("messages", drawLog);
  on("commands", drawLog);
  on("message", put);
  on("stack language", drawBanner);
  on("opened", markOpened);
}

function drawHead() {
  const here = room();
  if (!here) return head.replaceChildren(h("h2", {}, "…"));
  const bot = here.bots.join(", ");
  const direct = here.kind === "private";
  const people = here.members.map((id) => platform().persons.find((one) => one.id === id)).filter(Boolean).map(named);
  head.replaceChildren(
    direct ? avatar(bot, "bot") : h("span", { class: "avatar tint-5", "aria-hidden": "true" }, icon("group")),
    h("div", {}, h("h2", {}, direct ? bot : named(here)), h("p", {}, direct ? t("directWith", { bot }) : t("groupOf", { people: [...people, ...here.bots].join(", ") }))),
  );
}

function drawBanner() {
  const how = state.lost ? "lost" : state.stack.state;
  banner.hidden = how === "ready";
  banner.className = how === "starting" ? "banner" : "banner bad";
  const command = ["missing", "unreachable"].includes(how) && h("code", {}, "make run");
  banner.replaceChildren(how === "ready" ? "" : t(`banner.${how}`), " ", command || "");
}

function drawLog() {
  const { messages } = state;
  log.setAttribute("aria-label", room() ? named(room()) : "");
  log.classList.toggle("empty", messages.length === 0);
  if (messages.length === 0) return log.replaceChildren(welcome());
  log.replaceChildren(...messages.map((message, at) => draw(message, messages[at - 1])));
  const last = log.lastElementChild;
  const focusable = last?.querySelector(".note button") || last;
  if (focusable) focusable.tabIndex = 0;
  toEnd();
}

function toEnd() {
  log.scrollTop = log.scrollHeight;
}

function put(message) {
  const at = state.messages.findIndex((one) => one.id === message.id);
  const before = at < 0 ? state.messages.at(-1) : state.messages[at - 1];
  if (at < 0) state.messages.push(message);
  else state.messages[at] = message;
  const near = log.scrollHeight - log.scrollTop - log.clientHeight < 160;
  const element = draw(message, before);
  const old = log.querySelector(`[data-id="${CSS.escape(message.id)}"]`);
  if (old) {
    const focused = old === document.activeElement;
    element.tabIndex = old.tabIndex;
    old.replaceWith(element);
    if (focused) element.focus();
  } else {
    if (state.messages.length === 1) log.replaceChildren();
    log.classList.remove("empty");
    for (const other of log.querySelectorAll("[tabindex='0'].msg")) other.tabIndex = -1;
    element.tabIndex = 0;
    log.append(element);
  }
  if (near || message.sender.id === state.person) {
    toEnd();
    for (const image of element.querySelectorAll("img")) image.addEventListener("load", toEnd, { once: true });
  }
  markOpened();
}

function draw(message, before) {
  return message.note ? drawNote(message) : drawMessage(message, before);
}

const senderName = (message) => {
  const known = platform()?.persons.find((one) => one.id === message.sender.id);
  return message.sender.kind === "user" && known ? named(known) : message.sender.name;
};

function drawNote(message) {
  const words = t("pressed", { name: senderName(message), label: message.text });
  const button = h("button", { type: "button", tabindex: "-1", title: t("see"), on: { click: () => changed("open", message.id) } }, words);
  return h("div", { class: "note", data: { id: message.id } }, button);
}

function drawMessage(message, before) {
  const own = message.sender.kind === "user" && message.sender.id === state.person;
  const follows = before && !before.note && before.sender.id === message.sender.id && message.at - before.at < GROUP_SECONDS && !message.reply_to;
  const name = senderName(message);
  const kind = message.sender.kind === "user" ? null : h("span", { class: "pill" }, t(message.sender.kind));
  return h(
    "article",
    { class: `msg${own ? " own" : ""}${follows ? " follows" : ""}`, tabindex: "-1", data: { id: message.id }, "aria-label": `${name}: ${message.recalled ? t("recalled") : message.text}` },
    avatar(name, message.sender.kind, { id: message.sender.id }),
    h("div", { class: "body" },
      h("div", { class: "who" }, own ? null : h("b", {}, name), kind, h("time", { datetime: new Date(message.at * 1000).toISOString() }, clock(message.at))),
      h("div", { class: "line" }, bubble(message), acts(message, own)),
      marks(message)),
  );
}

function bubble(message) {
  if (message.recalled) return h("div", { class: "bubble gone" }, t("recalled"));
  const quoted = message.reply_to && h("button", { type: "button", class: "quoted", tabindex: "-1", on: { click: () => jump(message.reply_to.id) } }, `${message.reply_to.name}: ${message.reply_to.text}`);
  const box = h("div", { class: framed(message) && !quoted ? "bubble bare" : "bubble" }, quoted, drawParts(message));
  box.addEventListener("click", (event) => {
    if (!event.target.closest("button, a") && !String(getSelection())) changed("open", message.id);
  });
  return box;
}

function jump(id) {
  const element = log.querySelector(`[data-id="${CSS.escape(id)}"]`);
  element?.scrollIntoView({ block: "center" });
  element?.focus();
}

function acts(message, own) {
  const can = (name) => platform()?.features.includes(name);
  const act = (name, text, listener, extra = "") =>
    h("button", { type: "button", class: extra, tabindex: "-1", title: text, "aria-label": text, on: { click: listener } }, icon(name));
  const emitEvent = (kind, more = {}) => api.emitEvent({ platform: message.platform, app: state.app, kind, message_id: message.id, sender: state.person, ...more })
    .catch((error) => toast(t("unknownError", { why: error.message }), true));
  const answer = (thread) => { state.answering = { message, name: senderName(message), thread }; changed("answering"); };
  return h("div", { class: "acts" },
    act("trace", t("see"), () => changed("open", message.id), "see"),
    !message.recalled && hasCommands() && onMessage(message).length > 0 && act("menu", t("menuOf"), () => menuOf(message, call)),
    !message.recalled && can("reply") && act("reply", t("reply"), () => answer(false)),
    !message.recalled && can("thread") && room()?.kind === "group" && act("thread", t("threadReply"), () => answer(true)),
    !message.recalled && can("react") && act("smile", t("react"), () => emitEvent("react", { emoji: "THUMBSUP" })),
    !message.recalled && own && can("recall") && act("recall", t("recall"), () => emitEvent("recall")));
}

const EMOJI = { THUMBSUP: "👍", HEART: "❤️", SMILE: "😄", OK: "👌", DONE: "✅" };

function marks(message) {
  const found = [];
  if (message.thread) found.push(h("span", {}, icon("thread"), " ", t("inThread")));
  if (message.edited && !message.recalled) found.push(h("span", {}, t("edited")));
  if (message.sender.kind === "user") found.push(deliveryMark(message));
  for (const emoji of message.reactions) found.push(h("span", { class: "react" }, EMOJI[emoji] || emoji));
  return found.filter(Boolean).length ? h("div", { class: "marks" }, found) : null;
}

function deliveryMark(message) {
  const how = message.delivery || "none";
  const tone = { failed: "bad", retrying: "warn" }[how] || "";
  return h("span", { class: tone }, how === "delivered" ? icon("check") : null, how === "delivered" ? " " : "", t(`delivery.${how}`, { n: message.attempts }));
}

function markOpened() {
  for (const element of log.querySelectorAll(".opened")) element.classList.remove("opened");
  if (state.opened) log.querySelector(`[data-id="${CSS.escape(state.opened)}"]`)?.classList.add("opened");
}

function welcome() {
  const here = platform();
  if (!here) return h("div", { class: "welcome" }, h("p", {}, "…"));
  const values = { person: person() ? named(person()) : "", platform: label(here) };
  const stages = t("stages", values).flatMap((name, at) => [at ? h("span", { "aria-hidden": "true" }, "→") : null, h("b", {}, name)]);
  return h("div", { class: "welcome" },
    h("h2", {}, t("welcome.title")),
    h("p", {}, t("welcome.line", values)),
    h("div", { class: "stages" }, stages),
    h("p", { class: "try" }, t("welcome.try")),
    chips());
}

const clock = (at) => new Date(at * 1000).toLocaleTimeString(language(), { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
