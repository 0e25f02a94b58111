// The conversation in the middle: the name of the room, and its messages.

import * as api from "/static/js/api.js";
import { hasCommands, messageCommands, openMessageCommands } from "/static/js/commands.js";
import { chips, sendCommand } from "/static/js/composer.js";
import { avatar, fill, h, icon, roving, toast } from "/static/js/dom.js";
import { clock, label, named, t } from "/static/js/i18n.js";
import { why } from "/static/js/outcomes.js";
import { showPane } from "/static/js/panel.js";
import { drawParts, hasOwnFrame } from "/static/js/parts.js";
import { changed, on, person, platform, room, senderOf, state } from "/static/js/state.js";

const GROUP_SECONDS = 180;
const NEAR_END_PX = 160;
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
  on("message", putMessage);
  on("outcome", putMarks);
  on("stack language", drawBanner);
  on("traced", markTraced);
}

function drawHead() {
  const here = room();
  if (!here) return head.replaceChildren(h("h2", {}, "…"));
  const bot = here.bots.join(", ");
  const direct = here.kind === "private";
  const people = here.members.map((id) => platform().persons.find((one) => one.id === id)).filter(Boolean).map(named);
  fill(
    head,
    direct ? avatar(bot, "bot") : h("span", { class: "avatar tint-5", "aria-hidden": "true" }, icon("group")),
    h("div", {}, h("h2", {}, direct ? bot : named(here)), h("p", {}, direct ? t("directWith", { bot }) : t("groupOf", { people: [...people, ...here.bots].join(", ") }))),
    h("span", { class: "space" }),
    paneButton("logs"), paneButton("state"),
  );
}

const paneButton = (name) =>
  h("button", { type: "button", class: "quiet", title: t(`open.${name}`), "aria-label": t(`open.${name}`), on: { click: () => showPane(name) } }, icon(name), h("span", { class: "label" }, t(`pane.${name}`)));

function drawBanner() {
  const broken = state.stack.bot?.state === "failed" ? state.stack.bot.error : "";
  const status = state.lost ? "lost" : state.stack.state === "ready" && broken ? "broken" : state.stack.state;
  banner.hidden = status === "ready";
  banner.className = status === "starting" ? "banner" : "banner bad";
  const code = { missing: "make run", unreachable: "make run", broken }[status];
  banner.replaceChildren(status === "ready" ? "" : t(`banner.${status}`), " ", code ? h("code", {}, code) : "");
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
  scrollToEnd();
}

function scrollToEnd() {
  log.scrollTop = log.scrollHeight;
}

// Add a new message, or draw a changed one again.
function putMessage(message) {
  const at = state.messages.findIndex((one) => one.id === message.id);
  const previous = at < 0 ? state.messages.at(-1) : state.messages[at - 1];
  if (at < 0) state.messages.push(message);
  else state.messages[at] = message;
  const nearEnd = isNearEnd();
  const element = draw(message, previous);
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
  if (nearEnd || message.sender.id === state.person) {
    scrollToEnd();
    for (const image of element.querySelectorAll("img")) image.addEventListener("load", scrollToEnd, { once: true });
  }
  markTraced();
}

// The outcome of a message is known: only the marks below it change.
function putMarks(id) {
  const message = state.messages.find((one) => one.id === id);
  const element = log.querySelector(`[data-id="${CSS.escape(id)}"]`);
  if (!message || !element) return;
  const nearEnd = isNearEnd();
  const before = element.querySelector(message.note ? ".why" : ".marks");
  const after = message.note ? noteMark(message) : marks(message);
  before?.remove();
  if (after) (message.note ? element : element.querySelector(".body")).append(after);
  if (nearEnd) scrollToEnd();
}

const isNearEnd = () => log.scrollHeight - log.scrollTop - log.clientHeight < NEAR_END_PX;

function draw(message, previous) {
  return message.note ? drawNote(message) : drawMessage(message, previous);
}

function senderName(message) {
  const known = senderOf(message);
  return message.sender.kind === "user" && known ? named(known) : message.sender.name;
}

// A line of the page's own: a person pressed a button, or the platform's client shows something.
function drawNote(message) {
  const text = message.type === "press" ? t("pressed", { name: senderName(message), label: message.text }) : message.text;
  const button = h("button", { type: "button", tabindex: "-1", title: t("see"), on: { click: () => changed("open", message.id) } }, text);
  return h("div", { class: "note", data: { id: message.id } }, button, noteMark(message));
}

function drawMessage(message, previous) {
  const own = message.sender.kind === "user" && message.sender.id === state.person;
  const follows = previous && !previous.note && previous.sender.id === message.sender.id && message.at - previous.at < GROUP_SECONDS && !message.reply_to;
  const name = senderName(message);
  const kind = message.sender.kind === "user" ? null : h("span", { class: "pill" }, t(message.sender.kind));
  return h(
    "article",
    { class: `msg${own ? " own" : ""}${follows ? " follows" : ""}`, tabindex: "-1", data: { id: message.id }, "aria-label": `${name}: ${message.recalled ? t("recalled") : message.text}` },
    avatar(name, message.sender.kind, { id: message.sender.id }),
    h("div", { class: "body" },
      h("div", { class: "who" }, own ? null : h("b", {}, name), kind, h("time", { datetime: new Date(message.at * 1000).toISOString() }, clock(message.at))),
      h("div", { class: "line" }, bubble(message), actions(message, own)),
      marks(message)),
  );
}

function bubble(message) {
  if (message.recalled) return h("div", { class: "bubble gone" }, t("recalled"));
  const quoted = message.reply_to && h("button", { type: "button", class: "quoted", tabindex: "-1", on: { click: () => jumpTo(message.reply_to.id) } }, `${message.reply_to.name}: ${message.reply_to.text}`);
  const box = h("div", { class: hasOwnFrame(message) && !quoted ? "bubble bare" : "bubble" }, quoted, drawParts(message));
  box.addEventListener("click", (event) => {
    if (!event.target.closest("button, a") && !String(getSelection())) changed("open", message.id);
  });
  return box;
}

function jumpTo(id) {
  const element = log.querySelector(`[data-id="${CSS.escape(id)}"]`);
  element?.scrollIntoView({ block: "center" });
  element?.focus();
}

function actions(message, own) {
  const can = (name) => platform()?.features.includes(name);
  const action = (name, text, listener, extra = "") =>
    h("button", { type: "button", class: extra, tabindex: "-1", title: text, "aria-label": text, on: { click: listener } }, icon(name));
  const emitEvent = (kind, more = {}) => api.emitEvent({ platform: message.platform, app: state.app, kind, message_id: message.id, sender: state.person, ...more })
    .catch((error) => toast(t("unknownError", { why: error.message }), true));
  const reply = (thread) => { state.replyingTo = { message, name: senderName(message), thread }; changed("replyingTo"); };
  return h("div", { class: "actions" },
    action("trace", t("see"), () => changed("open", message.id), "see"),
    !message.recalled && hasCommands() && messageCommands(message).length > 0 && action("menu", t("menuOf"), () => openMessageCommands(message, sendCommand)),
    !message.recalled && can("reply") && action("reply", t("reply"), () => reply(false)),
    !message.recalled && can("thread") && room()?.kind === "group" && action("thread", t("threadReply"), () => reply(true)),
    !message.recalled && can("react") && action("smile", t("react"), () => emitEvent("react", { emoji: "THUMBSUP" })),
    !message.recalled && own && can("recall") && action("recall", t("recall"), () => emitEvent("recall")));
}

function marks(message) {
  const found = [];
  if (message.thread) found.push(h("span", {}, icon("thread"), " ", t("inThread")));
  if (message.edited && !message.recalled) found.push(h("span", {}, t("edited")));
  if (message.sender.kind === "user") found.push(deliveryMark(message));
  for (const emoji of message.reactions) found.push(h("span", { class: "react" }, emoji));
  return found.length ? h("div", { class: "marks" }, found) : null;
}

function noteMark(message) {
  const found = why(state.outcomes.get(message.id));
  return found?.tone ? whyMark(found) : null;
}

const whyMark = (found) => h("span", { class: `why ${found.tone}` }, found.icon ? [found.icon(), " "] : null, found.text);

// How far the message got. If it got no answer: the reason.
function deliveryMark(message) {
  const found = why(state.outcomes.get(message.id));
  if (found && message.delivery !== "waiting") return whyMark(found);
  const status = message.delivery || "none";
  const tone = { failed: "bad", retrying: "warn" }[status] || "";
  const check = status === "delivered" ? [icon("check"), " "] : [];
  return h("span", { class: tone }, check, t(`delivery.${status}`, { n: message.attempts }));
}

function markTraced() {
  for (const element of log.querySelectorAll(".traced")) element.classList.remove("traced");
  if (state.traced) log.querySelector(`[data-id="${CSS.escape(state.traced)}"]`)?.classList.add("traced");
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
