// The parts of a message, the same for every platform.

import { media, press } from "/static/js/api.js";
import { h, icon, toast } from "/static/js/dom.js";
import { t } from "/static/js/i18n.js";
import { inline, markdown } from "/static/js/markdown.js";
import { state } from "/static/js/state.js";

export function drawParts(message) {
  return message.parts.map((part) => draw(part, message));
}

// Whether the parts have a frame of their own and need no bubble.
export const hasOwnFrame = (message) => message.parts.length === 1 && ["card", "image"].includes(message.parts[0].kind);

function draw(part, message) {
  switch (part.kind) {
    case "markdown":
      return markdown(part.text);
    case "image":
      return h("img", { src: media(message.platform, part.key), alt: part.alt || t("image"), loading: "lazy" });
    case "file":
      return h("a", { class: "file", href: media(message.platform, part.key), download: part.name }, icon("file"), part.name);
    case "card":
      return card(part, message);
    case "rule":
      return h("hr");
    case "buttons":
      return h("div", { class: "buttons" }, part.buttons.map((button) => drawButton(button, message)));
    case "select":
      return drawSelect(part, message);
    default:
      return h("div", { class: part.small ? "text small" : "text" }, inline(part.text || ""));
  }
}

function card(part, message) {
  const title = part.title && h("h3", { class: part.color || "" }, part.title);
  return h("div", { class: "card" }, title, h("div", { class: "blocks" }, part.blocks.map((block) => draw(block, message))));
}

function drawButton(button, message) {
  const style = `press ${button.style}`;
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
