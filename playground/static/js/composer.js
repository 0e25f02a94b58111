// Where you write.

import * as api from "/static/js/api.js";
import { h, icon, toast } from "/static/js/dom.js";
import { label, named, t } from "/static/js/i18n.js";
import { entries, hasCommands, picker } from "/static/js/picker.js";
import { changed, on, platform, room, state } from "/static/js/state.js";

const EXAMPLES = ["/help", "/echo hi", "/count", "/card", "/slow 3"];
const MOST_LINES_PX = 200;
let words, above, mention, sendButton, hint, attach, small;
let mentioning = true;
let picture = null;

export function composer() {
  words = h("textarea", { id: "words", rows: 1, autocomplete: "off", on: { input: grow, keydown: keys, paste } });
  above = h("div", { class: "above", hidden: true });
  mention = h("button", { type: "button", class: "quiet", "aria-pressed": "true", on: { click: toggleMention } });
  const chooser = h("input", { type: "file", accept: "image/*", hidden: true, on: { change: () => take(chooser.files[0]) } });
  attach = h("button", { type: "button", class: "quiet", on: { click: () => { chooser.value = ""; chooser.click(); } } }, icon("image"));
  sendButton = h("button", { type: "submit", class: "solid" });
  hint = h("span", { class: "hint" });
  small = h("div", { class: "small-chips" });
  const form = h("form", { class: "composer", on: { submit: (event) => { event.preventDefault(); submit(); } } },
    small,
    picker(words, call),
    h("div", { class: "box" }, above, words, h("div", { class: "tools" }, attach, chooser, mention, h("span", { class: "space" }), hint, sendButton)));
  on("place language rooms", draw);
  on("messages message commands", drawChips);
  on("answering", () => { drawAbove(); words.focus(); });
  return form;
}

export const focus = () => words.focus();

// The example commands, each sent by a click.
export function chips() {
  const can = platform()?.features.includes("image");
  return h("div", { class: "chips" },
    hasCommands() ? entries(call) : EXAMPLES.map((text) => h("button", { type: "button", class: "chip", on: { click: () => send({ text }) } }, text)),
    can && h("button", { type: "button", class: "chip plain", on: { click: () => send({ text: "", image: true }) } }, t("picture")));
}

function draw() {
  const here = room();
  const group = here?.kind === "group" && platform()?.features.includes("mention");
  words.placeholder = here ? t("write", { room: here.kind === "group" ? named(here) : state.app }) : "";
  words.setAttribute("aria-label", words.placeholder);
  sendButton.replaceChildren(icon("send"), t("send"));
  hint.textContent = t("hint");
  attach.hidden = !platform()?.features.includes("image");
  attach.title = t("attach");
  attach.setAttribute("aria-label", t("attach"));
  mention.hidden = !group || !state.app;
  mention.textContent = t("mention", { bot: state.app });
  mention.title = platform() ? t("mentionWhy", { platform: label(platform()) }) : "";
  mention.setAttribute("aria-pressed", String(mentioning));
  drawAbove();
  drawChips();
}

function drawChips() {
  small.replaceChildren(...(state.messages.length ? [chips()] : []));
}

function drawAbove() {
  const { answering } = state;
  const cancel = h("button", { type: "button", class: "quiet", "aria-label": t("cancel"), title: t("cancel"), on: { click: forget } }, icon("close"));
  above.hidden = !answering && !picture;
  const said = answering && t(answering.thread ? "threading" : "replying", { name: answering.name, text: answering.message.text });
  const shown = picture && h("img", { src: `data:${picture.type};base64,${picture.data}`, alt: "" });
  above.replaceChildren(shown || "", h("span", {}, said || (picture ? t("attached", { size: `${Math.ceil(picture.data.length * 0.75 / 1024)} KB` }) : "")), cancel);
}

function forget() {
  state.answering = null;
  picture = null;
  drawAbove();
  words.focus();
}

function toggleMention() {
  mentioning = !mentioning;
  draw();
}

function grow() {
  words.style.height = "auto";
  words.style.height = `${Math.min(words.scrollHeight, MOST_LINES_PX)}px`;
}

function keys(event) {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    submit();
  }
  if (event.key === "Escape" && (state.answering || picture)) {
    event.stopPropagation();
    forget();
  }
}

function paste(event) {
  const file = [...event.clipboardData.files].find((one) => one.type.startsWith("image/"));
  if (!file) return;
  event.preventDefault();
  take(file);
}

function take(file) {
  if (!file) return;
  const reader = new FileReader();
  reader.addEventListener("load", () => {
    picture = { type: file.type, data: reader.result.split(",", 2)[1] };
    drawAbove();
    words.focus();
  });
  reader.readAsDataURL(file);
}

async function submit() {
  const text = words.value.trim();
  if (!text && !picture) return;
  const sent = await send({ text, ...(picture ? { image: picture.data } : {}) });
  if (!sent) return;
  words.value = "";
  picture = null;
  grow();
  drawAbove();
}

// A command of a platform that knows them, with its options by name.
export async function call(command, more = {}) {
  if (await send({ native: { type: "command", content: command }, ...more })) {
    words.value = "";
    grow();
  }
}

async function send(what) {
  const { answering } = state;
  const place = { platform: state.platform, app: state.app, room: state.room, sender: state.person };
  const under = answering ? { reply_to: answering.message.id, thread: answering.thread } : {};
  const mentions = room()?.kind === "group" ? { mention: mentioning } : {};
  try {
    await api.sendMessage({ ...place, ...what, ...under, ...mentions });
  } catch (error) {
    toast(t("unknownError", { why: error.message }), true);
    return false;
  }
  state.answering = null;
  drawAbove();
  changed("said");
  words.focus();
  return true;
}
