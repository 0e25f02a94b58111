// The content of a reply as elements. All of it comes from outside: a field that has another type is left out.

import { controls } from "./controls.js";
import { h, link, list, picture, safe, text } from "./dom.js";
import { markdown } from "./markdown.js";

/**
 * @typedef {import("./dom.js").Fields} Fields
 * @typedef {object} Context
 * @property {import("./words.js").Words} words
 * @property {(press: import("./parley.js").Press, label: string) => void} press Sends a press, which people see as `label`.
 */

/** The elements of a reply. What cannot be drawn is shown as its words. @param {Fields} reply @param {Context} context @returns {Node[]} */
export function draw(reply, context) {
  if (reply.large === true) return [h("p", {}, context.words("large"))];
  try {
    const found = joined(list(reply.segments)).flatMap((segment) => block(segment, text(reply.id), context));
    if (found.length) return found;
  } catch (error) {
    console.error("webchat:", error);
  }
  return text(reply.text) ? [h("p", { class: "text" }, text(reply.text))] : [];
}

/** The segments, in which texts and mentions that follow one another are one. @param {Fields[]} segments */
function joined(segments) {
  /** @type {Fields[]} */ const found = [];
  for (const segment of segments) {
    const last = found.at(-1);
    if (segment.type !== "text" && segment.type !== "mention") found.push(segment);
    else if (last?.type === "line") last.parts.push(segment);
    else found.push({ type: "line", parts: [segment] });
  }
  return found;
}

/** @param {Fields} segment @param {string} reply @param {Context} context @returns {Node[]} */
function block(segment, reply, { words, press }) {
  switch (segment.type) {
    case "line":
      return [h("p", { class: "text" }, list(segment.parts).map((part) => (part.type === "text" ? text(part.text) : mention(part, words))))];
    case "markdown":
      return markdown(text(segment.text));
    case "image":
    case "file":
    case "audio":
    case "video":
      return [medium(segment, words)];
    case "link":
      return [preview(segment)];
    case "location": {
      const place = [segment.latitude, segment.longitude].filter(Number.isFinite).join(", ");
      return [h("p", { class: "text" }, [text(segment.name), place && `(${place})`].filter(Boolean).join(" "))];
    }
    case "quote":
      return text(segment.text) ? [h("blockquote", { class: "text" }, text(segment.text))] : [];
    case "card":
      return [card(segment, reply, { words, press })];
    default:
      return text(segment.text) || text(segment.name) ? [h("p", { class: "text" }, text(segment.text) || `[${text(segment.name)}]`)] : [];
  }
}

/** @param {Fields} segment @param {import("./words.js").Words} words */
function mention({ name, id }, words) {
  const shown = text(name) || (id === "all" ? words("everybody") : "");
  return shown && h("span", { class: "mention" }, `@${shown}`);
}

/** @param {Fields} segment */
function preview({ url, title, description, image }) {
  const words = [text(title) && h("strong", {}, text(title)), text(description) && h("span", {}, text(description))];
  const shown = safe(image, /^https?:$/) && picture(image, "");
  return link(url, [shown || null, ...words, !text(title) && text(url)], { class: "preview" });
}

/** @param {Fields} card @param {string} reply @param {Context} context */
function card(card, reply, context) {
  const { words } = context;
  const title = text(card.title);
  const mentions = list(card.mentions).flatMap((each) => [mention(each, words), " "]);
  const fields = list(card.fields).flatMap((field) => [h("dt", {}, text(field.label)), h("dd", {}, text(field.value))]);
  return h("div", { class: "card", role: "group", "aria-label": title || null },
    title && h("p", { class: "title", role: "heading", "aria-level": "3" }, title),
    list(card.images).map((image) => medium({ ...image, type: "image" }, words)),
    mentions.length > 0 && h("p", {}, mentions),
    card.literal === true ? h("p", { class: "text" }, text(card.text)) : markdown(text(card.text)),
    fields.length > 0 && h("dl", {}, fields),
    controls(card, reply, context));
}

const PICTURES = /^image\/(png|jpeg|gif|webp)$/;

/** @param {Fields} segment @param {import("./words.js").Words} words @returns {HTMLElement} */
export function medium(segment, words) {
  const kind = /** @type {"image" | "file" | "audio" | "video"} */ (segment.type);
  const name = text(segment.name) || words(kind);
  const mime = text(segment.mime);
  const isShown = kind === "image" ? PICTURES.test(mime) : mime.startsWith(`${kind}/`);
  const address = safe(segment.url, /^https?:$/) || stored(segment.data, isShown ? mime : "application/octet-stream");
  if (!address) return h("p", {}, `[${name}]`);
  if (kind === "image" && (isShown || !text(segment.data))) return h("img", { src: address, alt: name, loading: "lazy", referrerpolicy: "no-referrer" });
  if (kind === "audio" || kind === "video") {
    const player = h(kind, { src: address, controls: true, preload: "none", "aria-label": name });
    return h("div", {}, player, text(segment.text) && h("p", { class: "text" }, text(segment.text)));
  }
  return h("a", { class: "file", href: address, download: name, target: "_blank", rel: "noopener noreferrer" }, name);
}

/** An address of bytes in Base64. Empty if they are none. @param {unknown} data @param {string} type */
function stored(data, type) {
  if (typeof data !== "string" || !data) return "";
  try {
    return URL.createObjectURL(new Blob([Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0))], { type }));
  } catch {
    return "";
  }
}
