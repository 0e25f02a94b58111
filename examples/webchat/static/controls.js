// What a person can press, choose and fill in on a card.

import { h, link, list, text } from "./dom.js";

/** Milliseconds within which a second press is no other one. */
const TWICE = 800;

/** @typedef {import("./dom.js").Fields} Fields */
/** @typedef {import("./segments.js").Context} Context */

/** @param {Fields} card @param {string} reply The id of the reply that has the card. @param {Context} context @returns {HTMLElement[]} */
export function controls(card, reply, context) {
  const buttons = list(card.buttons).map((each) => button(each, reply, context));
  return [
    ...list(card.selects).map((each) => menu(each, reply, context)),
    ...(card.form && typeof card.form === "object" ? [form(card.form, reply, context)] : []),
    ...(buttons.length ? [h("div", { class: "buttons" }, buttons)] : []),
  ];
}

/** `act`, but once for a double click. @template {any[]} A @param {(...args: A) => void} act @returns {(...args: A) => void} */
function once(act) {
  let last = -Infinity;
  return (...args) => {
    if (performance.now() - last < TWICE) return;
    last = performance.now();
    act(...args);
  };
}

/** @param {Fields} button @param {string} reply @param {Context} context */
function button({ id, label, value, url, style }, reply, { press, words }) {
  const shown = text(label) || "…";
  const look = style === "primary" || style === "danger" ? style : "";
  if (url) return link(url, [shown, h("span", { class: "hidden" }, ` (${words("newTab")})`)], { class: `press ${look}` });
  const pressed = once(() => press({ id: text(id), value: text(value), message_id: reply }, shown));
  return h("button", { type: "button", class: `press ${look}`, on: { click: pressed } }, shown);
}

/** A menu and a button: with the keyboard, a choice changes with each key. @param {Fields} select @param {string} reply @param {Context} context */
function menu({ id, label, value, choices }, reply, { press, words }) {
  const field = h("select", { required: true, "aria-label": text(label) }, h("option", { value: "" }, text(label) || words("choose")), options(choices));
  const choose = once(() => press({ id: text(id), value: text(value), message_id: reply, options: [field.value] }, field.selectedOptions[0].label));
  return h("form", { class: "menu", on: { submit: submitted(choose) } }, field, h("button", { class: "press" }, words("confirm")));
}

/** @param {Fields} form @param {string} reply @param {Context} context */
function form({ id, title, value, submit, inputs }, reply, { press, words }) {
  const fields = list(inputs).map((input) => ({ id: text(input.id), ...field(input, words) }));
  const label = text(submit) || words("confirm");
  const send = once(() => {
    const filled = Object.fromEntries(fields.map((each) => [each.id, each.control.value]));
    press({ id: text(id), value: text(value), message_id: reply, form: filled }, text(title) || label);
  });
  const legend = text(title) && h("legend", {}, text(title));
  const inside = [...fields.map((each) => each.row), h("button", { class: "press primary" }, label)];
  return h("form", { class: "form", on: { submit: submitted(send) } }, legend ? h("fieldset", {}, legend, inside) : inside);
}

/** The form is not sent to the site. @param {() => void} act */
const submitted = (act) => (/** @type {Event} */ event) => {
  event.preventDefault();
  act();
};

let count = 0; // no id comes from outside

/** @param {Fields} input @param {import("./words.js").Words} words */
function field(input, words) {
  const id = `field-${(count += 1)}`;
  const help = text(input.help);
  const isRequired = input.required !== false;
  const length = (/** @type {unknown} */ value) => (Number.isInteger(value) && Number(value) > 0 ? String(value) : null);
  const control = controlOf(input, words, {
    id,
    required: isRequired,
    placeholder: text(input.placeholder) || null,
    minlength: length(input.min_length),
    maxlength: length(input.max_length),
    "aria-describedby": help && `${id}-help`,
  });
  control.value = text(input.value);
  const label = h("label", { for: id }, text(input.label), !isRequired && ` (${words("optional")})`);
  return { control, row: h("div", { class: "row" }, label, control, help && h("p", { class: "small", id: `${id}-help` }, help)) };
}

/** @param {Fields} input @param {import("./words.js").Words} words @param {import("./dom.js").Props} props */
function controlOf({ kind, choices }, words, { minlength, maxlength, placeholder, ...props }) {
  switch (kind) {
    case "choice":
      return h("select", props, h("option", { value: "" }, placeholder || words("choose")), options(choices));
    case "paragraph":
      return h("textarea", { ...props, minlength, maxlength, placeholder, rows: "3" });
    case "date":
      return h("input", { ...props, type: "date" });
    default:
      return h("input", { ...props, minlength, maxlength, placeholder, type: "text", autocomplete: "off" });
  }
}

/** @param {unknown} choices */
const options = (choices) => list(choices).map(({ label, value }) => h("option", { value: text(value) }, text(label)));
