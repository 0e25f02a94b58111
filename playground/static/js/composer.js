// The message box, with example messages and attachments.

import * as api from "/static/js/api.js";
import { commandList, entries, hasCommands, runCommand } from "/static/js/commands.js";
import { fill, h, icon, readFile, toast } from "/static/js/dom.js";
import { label, named, t } from "/static/js/i18n.js";
import { changed, on, platform, room, state } from "/static/js/state.js";

const MAX_CHIPS = 12;
const MAX_HEIGHT_PX = 200;
let input, commands, preview, mentionButton, sendButton, hint, attachButton, chipBar;
let mentioning = true;
let image = null;

export function composer() {
  input = h("textarea", { id: "message-box", rows: 1, autocomplete: "off", on: { input: resize, keydown: onKey, paste: onPaste } });
  preview = h("div", { class: "preview", hidden: true });
  mentionButton = h("button", { type: "button", class: "quiet", "aria-pressed": "true", on: { click: toggleMention } });
  const file = h("input", { type: "file", accept: "image/*", hidden: true, on: { change: () => attach(file.files[0]) } });
  attachButton = h("button", { type: "button", class: "quiet", on: { click: () => { file.value = ""; file.click(); } } }, icon("image"));
  sendButton = h("button", { type: "submit", class: "solid" });
  hint = h("span", { class: "hint" });
  chipBar = h("div", { class: "chip-bar" });
  commands = commandList(input, chooseCommand);
  const form = h("form", { class: "composer", on: { submit: (event) => { event.preventDefault(); submit(); } } },
    chipBar,
    commands.list,
    h("div", { class: "box" }, preview, input, h("div", { class: "tools" }, attachButton, file, mentionButton, h("span", { class: "space" }), hint, sendButton)));
  on("place language rooms", draw);
  on("messages message commands", drawChips);
  on("replyingTo", () => { drawPreview(); input.focus(); });
  return form;
}

export const focus = () => input.focus();

// The commands of the bot; a click sends one, or begins it if it has options.
export function chips() {
  const found = entries(chooseCommand);
  const canSendImages = platform()?.features.includes("image");
  return h("div", { class: "chips" },
    found.slice(0, MAX_CHIPS),
    found.length > MAX_CHIPS && h("button", { type: "button", class: "chip", title: t("allCommands"), "aria-label": t("allCommands"), on: { click: () => write("/") } }, "/…"),
    found.length === 0 && !hasCommands() && h("button", { type: "button", class: "chip plain", on: { click: () => send({ text: t("hello") }) } }, t("hello")),
    canSendImages && h("button", { type: "button", class: "chip plain", on: { click: () => send({ text: "", image: true }) } }, t("sendImage")));
}

function draw() {
  const here = room();
  const canMention = here?.kind === "group" && platform()?.features.includes("mention");
  input.placeholder = here ? t("write", { room: here.kind === "group" ? named(here) : state.app }) : "";
  input.setAttribute("aria-label", input.placeholder);
  sendButton.replaceChildren(icon("send"), t("send"));
  hint.textContent = t("hint");
  attachButton.hidden = !platform()?.features.includes("image");
  attachButton.title = t("attach");
  attachButton.setAttribute("aria-label", t("attach"));
  mentionButton.hidden = !canMention || !state.app;
  mentionButton.textContent = t("mention", { bot: state.app });
  mentionButton.title = platform() ? t("mentionWhy", { platform: label(platform()) }) : "";
  mentionButton.setAttribute("aria-pressed", String(mentioning));
  drawPreview();
  drawChips();
}

function drawChips() {
  fill(chipBar, state.messages.length > 0 && chips());
}

// The line above the message box: the message that is replied to, or the attached image.
function drawPreview() {
  const { replyingTo } = state;
  const cancelButton = h("button", { type: "button", class: "quiet", "aria-label": t("cancel"), title: t("cancel"), on: { click: cancel } }, icon("close"));
  preview.hidden = !replyingTo && !image;
  const quoted = replyingTo && t(replyingTo.thread ? "threading" : "replying", { name: replyingTo.name, text: replyingTo.message.text });
  const size = image && `${Math.ceil(image.data.length * 0.75 / 1024)} KB`;
  const thumbnail = image && h("img", { src: `data:${image.type};base64,${image.data}`, alt: "" });
  preview.replaceChildren(thumbnail || "", h("span", {}, quoted || (image ? t("attached", { size }) : "")), cancelButton);
}

function cancel() {
  state.replyingTo = null;
  image = null;
  drawPreview();
  input.focus();
}

function toggleMention() {
  mentioning = !mentioning;
  draw();
}

function resize() {
  input.style.height = "auto";
  input.style.height = `${Math.min(input.scrollHeight, MAX_HEIGHT_PX)}px`;
}

function onKey(event) {
  if (commands.onKey(event)) return;
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    submit();
  }
  if (event.key === "Escape" && (state.replyingTo || image)) {
    event.stopPropagation();
    cancel();
  }
}

function onPaste(event) {
  const file = [...event.clipboardData.files].find((one) => one.type.startsWith("image/"));
  if (!file) return;
  event.preventDefault();
  attach(file);
}

async function attach(file) {
  if (!file) return;
  image = { type: file.type, data: await readFile(file) };
  drawPreview();
  input.focus();
}

async function submit() {
  const text = input.value.trim();
  if (!text && !image) return;
  if (!(await send({ text, ...(image ? { image: image.data } : {}) }))) return;
  input.value = "";
  image = null;
  resize();
  drawPreview();
}

function chooseCommand(command, complete = false) {
  if (hasCommands()) runCommand(command, sendCommand);
  else if (complete || command.options.length) write(`/${command.name} `);
  else sendText(`/${command.name}`);
}

// Put `text` into the message box, for the person to go on.
function write(text) {
  input.value = text;
  input.focus();
  input.dispatchEvent(new Event("input"));
}

async function sendText(text) {
  if (await send({ text })) {
    input.value = "";
    resize();
  }
}

// Send a command with its options by name, on platforms that have commands.
export async function sendCommand(command, more = {}) {
  if (await send({ native: { type: "command", content: command }, ...more })) {
    input.value = "";
    resize();
  }
}

// Returns false if the playground rejects the message.
async function send(message) {
  const { replyingTo } = state;
  const place = { platform: state.platform, app: state.app, room: state.room, sender: state.person };
  const reply = replyingTo ? { reply_to: replyingTo.message.id, thread: replyingTo.thread } : {};
  const mention = room()?.kind === "group" ? { mention: mentioning } : {};
  try {
    await api.sendMessage({ ...place, ...message, ...reply, ...mention });
  } catch (error) {
    toast(t("unknownError", { why: error.message }), true);
    return false;
  }
  state.replyingTo = null;
  drawPreview();
  changed("sent");
  input.focus();
  return true;
}
