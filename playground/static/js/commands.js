// The commands that a bot has registered with its platform: their list, the forms for their options, and modals.

import * as api from "/static/js/api.js";
import { sheet } from "/static/js/dialogs.js";
import { h, readFile, toast } from "/static/js/dom.js";
import { t } from "/static/js/i18n.js";
import { changed, on, platform, state } from "/static/js/state.js";

const [SUB_COMMAND, GROUP, STRING, INTEGER, BOOLEAN, NUMBER, ATTACHMENT] = [1, 2, 3, 4, 5, 10, 11];
const [SLASH, ON_USER, ON_MESSAGE] = [1, 2, 3];
const TEXT_INPUT = 4;
const AUTOCOMPLETE_DELAY_MS = 200;

export const hasCommands = () => Boolean(platform()?.features.includes("commands"));
const failed = (error) => toast(t("unknownError", { why: error.message }), true);

// The list above the message box: the commands that match its text. `run` gets the command that the person chooses.
export function commandList(input, run) {
  const list = h("div", { class: "chips command-list", hidden: true, role: "group", "aria-label": t("commands") });
  const draw = () => {
    const typed = input.value.match(/^[/／](\S*)$/);
    list.hidden = !typed || !hasCommands();
    if (list.hidden) return;
    list.replaceChildren(...slashCommands().filter((one) => one.name.startsWith(typed[1])).map((one) => entry(one, run)));
  };
  input.addEventListener("input", draw);
  on("commands", draw);
  on("place stack", load);
  on("sent", () => { list.hidden = true; });
  return list;
}

async function load() {
  const { platform: name, app } = state;
  const found = hasCommands() && app ? await api.commands(name, app).catch(() => []) : [];
  if (name !== state.platform || app !== state.app) return;
  state.commands = found;
  changed("commands");
}

export const entries = (run) => slashCommands().map((one) => entry(one, run));

// The slash commands; sub-commands with their full names.
const slashCommands = () => state.commands.filter((one) => one.type === SLASH).flatMap((one) => leafCommands(one));

function leafCommands(command, name = command.name) {
  const inner = (command.options || []).filter((option) => [SUB_COMMAND, GROUP].includes(option.type));
  return inner.length ? inner.flatMap((one) => leafCommands(one, `${name} ${one.name}`)) : [{ ...command, name, options: command.options || [] }];
}

function entry(command, run) {
  const { options } = command;
  const usage = options.map((option) => (option.required ? option.name : `[${option.name}]`)).join(" ");
  const start = () => (options.length ? askForOptions(command, options, run) : run({ name: command.name, options: {} }));
  return h("button", { type: "button", class: "chip", title: command.description, on: { click: start } }, `/${command.name} ${usage}`.trim());
}

function askForOptions(command, options, run) {
  const fields = options.map((option) => ({ option, field: fieldOf(command, option) }));
  const form = h("form", { class: "form tall" },
    fields.map(({ option, field }) => h("label", {}, option.description === option.name ? option.name : `${option.name} · ${option.description}`, field)),
    h("button", { type: "submit", class: "solid" }, t("send")));
  const dialog = sheet(`/${command.name}`, h("p", {}, command.description), form);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const filled = fields.filter(({ option, field }) => option.type !== ATTACHMENT && field.value !== "");
    const file = fields.find(({ option, field }) => option.type === ATTACHMENT && field.files.length)?.field.files[0];
    dialog.close();
    run({ name: command.name, options: Object.fromEntries(filled.map(({ option, field }) => [option.name, field.value])) }, file ? { file: { name: file.name, data: await readFile(file) } } : {});
  });
  fields[0].field.focus();
}

// The context menu commands for a message: those for messages, and those for its sender.
export const messageCommands = (message) => state.commands.filter((one) => one.type === ON_MESSAGE || (one.type === ON_USER && message.sender.kind === "user"));

export function openMessageCommands(message, run) {
  const buttons = messageCommands(message).map((one) => h("button", { type: "button", class: "outline", on: { click: () => {
    dialog.close();
    run({ name: one.name, options: { target: one.type === ON_USER ? message.sender.id : message.id } });
  } } }, one.name));
  const dialog = sheet(t("menuOf"), h("p", { class: "excerpt" }, message.text), h("div", { class: "form tall" }, buttons));
  buttons[0].focus();
}

function fieldOf(command, option) {
  const shared = { class: "field", required: Boolean(option.required), name: option.name };
  const choose = (values) => h("select", shared, option.required ? null : h("option", { value: "" }, ""), values.map(([value, name]) => h("option", { value: String(value) }, name)));
  if (option.choices?.length) return choose(option.choices.map((one) => [one.value, one.name]));
  if (option.type === BOOLEAN) return choose([["true", "true"], ["false", "false"]]);
  if (option.type === ATTACHMENT) return h("input", { ...shared, type: "file" });
  if ([INTEGER, NUMBER].includes(option.type)) {
    return h("input", { ...shared, type: "number", step: option.type === INTEGER ? "1" : "any", min: text(option.min_value), max: text(option.max_value) });
  }
  const field = h("input", { ...shared, type: "text", maxlength: text(option.max_length), minlength: text(option.min_length), autocomplete: "off" });
  return option.autocomplete ? withAutocomplete(field, command, option) : field;
}

const text = (value) => (value === undefined || value === null ? null : String(value));

// While the person types, the bot is asked for choices, as Discord's client does.
function withAutocomplete(field, command, option) {
  const list = h("datalist", { id: `complete-${option.name}` });
  field.setAttribute("list", list.id);
  let timer;
  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(async () => {
      const others = Object.fromEntries([...field.form.elements].filter((one) => one.name && one.value).map((one) => [one.name, one.value]));
      const request = { platform: state.platform, app: state.app, room: state.room, sender: state.person, kind: "complete", wait: true };
      const { result } = await api.emitEvent({ ...request, name: command.name, options: others, focused: option.name }).catch(() => ({}));
      list.replaceChildren(...(result?.choices || []).map((one) => h("option", { value: String(one.value) }, one.name)));
    }, AUTOCOMPLETE_DELAY_MS);
  });
  field.addEventListener("focus", () => field.after(list), { once: true });
  return field;
}

// Open a modal, which is the bot's response to a command or a press.
export function openModal(modal) {
  const inputs = modal.components.flatMap((holder) => (holder.component ? [[holder.label, holder.component]] : holder.components.map((one) => [one.label, one])));
  const fields = inputs.map(([label, one]) => ({ label, id: one.custom_id, field: inputOf(one) }));
  const form = h("form", { class: "form tall" },
    fields.map(({ label, field }) => h("label", {}, label, field)),
    h("button", { type: "submit", class: "solid" }, t("send")));
  const dialog = sheet(modal.title, form);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const filled = Object.fromEntries(fields.map(({ id, field }) => [id, field.value]));
    dialog.close();
    api.emitEvent({ platform: state.platform, app: state.app, kind: "submit", sender: state.person, modal: modal.id, form: filled }).catch(failed);
  });
  fields[0]?.field.focus();
}

function inputOf(component) {
  const shared = { class: "field", required: component.required !== false };
  if (component.type !== TEXT_INPUT) {
    return h("select", shared, (component.options || []).map((one) => h("option", { value: one.value, selected: Boolean(one.default) }, one.label)));
  }
  const limits = { ...shared, placeholder: text(component.placeholder), maxlength: text(component.max_length), minlength: text(component.min_length) };
  const field = component.style === 2 ? h("textarea", { ...limits, rows: 4 }) : h("input", { ...limits, type: "text" });
  field.value = component.value || "";
  return field;
}
