// Elements without a framework. Words are always set as text, so no message can become markup.

/**
 * @typedef {{[field: string]: any}} Fields A JSON object that comes from outside.
 * @typedef {Node | string | null | undefined | false} Child
 * @typedef {{on?: Record<string, (event: any) => void>, [attribute: string]: any}} Props
 */

/**
 * A new element. Values that are null, undefined or false are left out. `on` has listeners.
 *
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag @param {Props} [props] @param {...(Child | Child[])} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function h(tag, { on = {}, ...attributes } = {}, ...children) {
  const element = document.createElement(tag);
  for (const [event, listener] of Object.entries(on)) element.addEventListener(event, listener);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  for (const child of children.flat()) if (child || child === "") element.append(child);
  return element;
}

const PATHS = {
  chat: "M5 5.500h14A1.500 1.500 0 0 1 20.500 7v8.500A1.500 1.500 0 0 1 19 17h-7l-5 4v-4H5A1.500 1.500 0 0 1 3.500 15.500V7A1.500 1.500 0 0 1 5 5.500z",
  attach: "M20 11.500 12 19.500a5 5 0 0 1-7-7l8-8a3.400 3.400 0 0 1 4.800 4.800l-8 8a1.700 1.700 0 0 1-2.400-2.400l7-7",
  close: "M6 6l12 12M18 6 6 18",
  send: "M4 12 20 4l-5 16-3.500-6.500zM11.500 13.500 20 4",
};

/** A picture that has no meaning of its own. @param {keyof typeof PATHS} name */
export function icon(name) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  const path = document.createElementNS(space, "path");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}

/** The address if a person can open it without harm, else an empty string. @param {unknown} address @param {RegExp} [schemes] */
export function safe(address, schemes = /^(https?|mailto|tel):$/) {
  if (typeof address !== "string") return "";
  try {
    const url = new URL(address); // as the browser reads it: " java\nscript:" is a script
    return schemes.test(url.protocol) ? url.href : "";
  } catch {
    return ""; // a relative address would be one of the site
  }
}

/** A link, or its words if the address is not safe. @param {unknown} address @param {Child | Child[]} words @param {Props} [props] */
export function link(address, words, props = {}) {
  const href = safe(address);
  if (!href) return h("span", {}, words);
  return h("a", { ...props, href, target: "_blank", rel: "noopener noreferrer" }, words);
}

/** A picture of the web, or its name if the address is not safe. @param {unknown} address @param {string} name */
export function picture(address, name) {
  const src = safe(address, /^https?:$/);
  if (!src) return h("span", {}, `[${name}]`);
  return h("img", { src, alt: name, loading: "lazy", referrerpolicy: "no-referrer" });
}

/** A text that comes from outside. Empty if the field has another type. @param {unknown} value */
export const text = (value) => (typeof value === "string" || typeof value === "number" ? String(value) : "");

/** A list of objects that comes from outside. @param {unknown} value @returns {Fields[]} */
export const list = (value) => (Array.isArray(value) ? value.filter((each) => each && typeof each === "object") : []);
