// The commands of the bot: their list, the forms for the options of registered commands, and modals.

import * as api from "/static/js/api.js";
import { sheet } from "/static/js/dialogs.js";
import { h, readFile, toast } from "/static/js/dom.js";
import { t } from "/static/js/i18n.js";
import { changed, on, platform, state } from "/static/js/state.js";

const [SUB_COMMAND, GROUP, STRING, INTEGER, BOOLEAN, NUMBER, ATTACHMENT] = [1, 2, 3, 4, 5, 10, 11];
const [SLASH, ON_USER, ON_MESSAGE] = [1, 2, 3];
const TEXT_INPUT = 4;
const AUTOCOMPLETE_DELAY_MS = 200;

// Whether the platform registers commands. On the others a person writes them as text.
export const hasCommands = () => Boolean(platform()?.features.includes("commands"));
const failed = (error) => toast(t("unknownError", { why: error.message }), true);

// The list above the message box: the commands that match its text. The focus stays in the message box: the arrow keys
// move in the list, Enter chooses, Tab completes. `choose` gets the command, and whether it is only to be completed.
export function commandList(input, choose) {
  const list = h("div", { class: "command-list", id: "commands", hidden: true, role: "listbox", tabindex: "0", "aria-label": t("commands") });
  let found = [], at = -1;
  const mark = (next) => {
    at = next;
    for (const [number, option] of [...list.children].entries()) option.setAttribute("aria-selected", String(number === at));
    list.children[at]?.scrollIntoView({ block: "nearest" });
    for (const element of [input, list]) {
      if (at < 0) element.removeAttribute("aria-activedescendant");
      else element.setAttribute("aria-activedescendant", list.children[at].id);
    }
  };
  const hide = () => { list.hidden = true; mark(-1); };
  const draw = () => {
    const typed = input.value.match(/^[/／](\S*)$/);
    found = typed ? slashCommands().filter((one) => one.name.startsWith(typed[1])) : [];
    list.setAttribute("aria-label", t("commands"));
    list.replaceChildren(...found.map((one, number) => listed(one, number, () => { hide(); choose(one); })));
    list.hidden = found.length === 0;
    mark(-1);
  };
  const act = { mark, choose: (number, complete) => { hide(); choose(found[number], complete); }, close: () => { hide(); input.focus(); } };
  const onKey = (event) => !list.hidden && !event.isComposing && handleKey(event, at, found.length, act);
  input.setAttribute("aria-autocomplete", "list");
  input.setAttribute("aria-controls", list.id);
  input.addEventListener("input", draw);
  list.addEventListener("keydown", onKey);
  on("commands language", draw);
  on("place stack", load);
  on("sent", hide);
  return { list, onKey };
}

// Returns whether the list has used the key. `at`: the marked one of its `count` entries, or -1.
function handleKey(event, at, count, { mark, choose, close }) {
  const { key, shiftKey } = event;
  if (key === "ArrowDown") mark((at + 1) % count);
  else if (key === "ArrowUp") mark((Math.max(at, 0) + count - 1) % count);
  else if (key === "Escape") close();
  else if (key === "Enter" && at >= 0) choose(at, false);
  else if (key === "Tab" && !shiftKey) choose(Math.max(at, 0), true);
  else return false;
  event.preventDefault();
  event.stopPropagation();
  return true;
}

function listed(command, number, choose) {
  // The message box keeps the focus.
  const keepFocus = (event) => event.preventDefault();
  return h("button", { type: "button", class: "option", id: `command-${number}`, role: "option", "aria-selected": "false", tabindex: "-1", on: { click: choose, mousedown: keepFocus } },
    h("span", { class: "usage" }, usage(command)), " ", h("span", { class: "help" }, command.description));
}

async function load() {
  const { platform: name, app } = state;
  const found = app ? await api.commands(name, app).catch(() => []) : [];
  if (name !== state.platform || app !== state.app) return;
  const commands = hasCommands() ? found : found.map(asRegistered);
  if (JSON.stringify(commands) === JSON.stringify(state.commands)) return;
  state.commands = commands;
  changed("commands");
}

// A command of the bot's code in the form in which Discord lists registered ones.
const asRegistered = ({ name, help, options }) => ({ type: SLASH, name, description: help, options: options.map((one) => ({ name: one.name, required: one.required })) });

export const entries = (choose) => slashCommands().map((one) => h("button", { type: "button", class: "chip", title: one.description, on: { click: () => choose(one) } }, usage(one)));

// The slash commands; sub-commands with their full names.
const slashCommands = () => state.commands.filter((one) => one.type === SLASH).flatMap((one) => leafCommands(one));

function leafCommands(command, name = command.name) {
  const inner = (command.options || []).filter((option) => [SUB_COMMAND, GROUP].includes(option.type));
  return inner.length ? inner.flatMap((one) => leafCommands(one, `${name} ${one.name}`)) : [{ ...command, name, options: command.options || [] }];
}

const usage = ({ name, options }) => [`/${name}`, ...options.map((option) => (option.required ? option.name : `[${option.name}]`))].join(" ");

// Run a registered command. It is called by its name; a form asks for its options first.
export function runCommand(command, run) {
  if (command.options.length) askForOptions(command, command.options, run);
  else run({ name: command.name, options: {} });
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
  const shared = { class: "field", name: component.custom_id, required: component.required !== false };
  if (component.type !== TEXT_INPUT) {
    const options = (component.options || []).map((one) => h("option", { value: one.value, selected: Boolean(one.default) }, one.label));
    return h("select", shared, h("option", { value: "" }, component.placeholder || ""), options);
  }
  const limits = { ...shared, placeholder: text(component.placeholder), maxlength: text(component.max_length), minlength: text(component.min_length) };
  const field = component.style === 2 ? h("textarea", { ...limits, rows: 4 }) : h("input", { ...limits, type: "text" });
  field.value = component.value || "";
  return field;
}
