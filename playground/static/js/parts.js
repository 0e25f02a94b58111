// The parts of a message, the same for every platform.

import { media, press } from "/static/js/api.js";
import { h, icon, toast } from "/static/js/dom.js";
import { t } from "/static/js/i18n.js";
import { inline, markdown } from "/static/js/markdown.js";
import { state } from "/static/js/state.js";

export function drawParts(message) {
  return drawAll(message.parts, message);
}

// The links of a text are buttons in the control API. The real client shows them within the text, and so does the page.
function drawAll(parts, message) {
  const inText = (part, at) => part.kind === "text" && parts[at + 1]?.within;
  return parts.filter((part, at) => !inText(part, at)).map((part) => draw(part, message));
}

const linkedText = (spans, message) =>
  h("div", { class: "text" }, spans.map((span) => (typeof span === "string" ? inline(span) : drawButton(span, message, "link"))));

// Whether the parts have a frame of their own and need no bubble.
export const hasOwnFrame = (message) => message.parts.length === 1 && ["card", "image"].includes(message.parts[0].kind);

function draw(part, message) {
  switch (part.kind) {
    case "markdown":
      return markdown(part.source ?? part.text, part.dialect);
    case "image":
      return h("img", { src: media(message.platform, part.key), alt: part.alt || t("image"), loading: "lazy" });
    case "file":
      return h("a", { class: "file", href: media(message.platform, part.key), download: part.name }, icon("file"), part.name);
    case "card":
      return card(part, message);
    case "rule":
      return h("hr");
    case "buttons":
      if (part.within) return linkedText(part.within, message);
      return h("div", { class: "buttons" }, part.buttons.map((button) => drawButton(button, message)));
    case "select":
      return drawSelect(part, message);
    case "form":
      return drawForm(part, message);
    default:
      return h("div", { class: part.small ? "text small" : "text" }, inline(part.text || "", part.dialect));
  }
}

function card(part, message) {
  const title = part.title && h("h3", { class: part.color || "" }, part.title);
  return h("div", { class: part.generating ? "card generating" : "card" }, title, h("div", { class: "blocks" }, drawAll(part.blocks, message)));
}

function drawButton(button, message, look = button.style) {
  const style = `press ${look}`;
  if (button.url && /^https?:\/\//.test(button.url)) {
    return h("a", { class: style, href: button.url, target: "_blank", rel: "noopener noreferrer" }, button.label);
  }
  const element = h("button", { type: "button", class: style, disabled: button.disabled, data: { button: button.id } }, button.label);
  element.addEventListener("click", () => sendPress(element, message, { button: button.id }));
  return element;
}

function drawSelect(select, message) {
  const options = select.options.map((option) => h("option", { value: option.value }, option.label));
  const element = h("select", { class: "field", "aria-label": select.placeholder || select.id, disabled: select.disabled }, h("option", { value: "" }, select.placeholder), options);
  element.addEventListener("change", () => element.value && sendPress(element, message, { button: select.id, options: [element.value] }));
  return element;
}

// A form in a card: its button sends all inputs.
function drawForm(form, message) {
  const fields = form.inputs.map((input) => [input, fieldOf(input)]);
  const submit = h("button", { type: "submit", class: "press primary", data: { button: form.id } }, form.submit);
  const element = h("form", { class: "form tall" },
    form.title && h("strong", {}, form.title),
    fields.map(([input, field]) => h("label", {}, input.label, field)),
    submit);
  element.addEventListener("submit", (event) => {
    event.preventDefault();
    const filled = Object.fromEntries(fields.map(([input, field]) => [input.id, field.value]));
    sendPress(submit, message, { button: form.id, form: filled });
  });
  return element;
}

function fieldOf(input) {
  const shared = { class: "field", name: input.id, required: input.required };
  if (input.kind === "choice") {
    const options = input.options.map((option) => h("option", { value: option.value, selected: option.value === input.value }, option.label));
    return h("select", shared, h("option", { value: "" }, input.placeholder || ""), options);
  }
  const limits = { ...shared, placeholder: input.placeholder || null, maxlength: input.max_length ? String(input.max_length) : null };
  const field = input.kind === "paragraph" ? h("textarea", { ...limits, rows: 3 }) : h("input", { ...limits, type: input.kind === "date" ? "date" : "text" });
  field.value = input.value || "";
  return field;
}

async function sendPress(element, message, options) {
  element.disabled = true;
  try {
    await press({ platform: message.platform, app: message.app, message_id: message.id, sender: state.person, ...options });
  } catch (error) {
    toast(t("unknownError", { why: error.message }), true);
  } finally {
    element.disabled = false;
  }
}
