// Markdown as elements. It is never parsed as HTML. The time grows with the length of the text, whatever is in it.
//
// A text can hold words of strangers. So it loads nothing by itself: its pictures are links. And a link whose words name
// another site says where it goes.

import { h, link, safe } from "./dom.js";

/** Emphasis, quotes and lists in one another. What is deeper stays as it is written. */
const MAX_DEPTH = 6;
/** The depth of the words of a link: they hold no other link. */
const IN_LINK = MAX_DEPTH + 1;
const NAMED = new Map(Object.entries({ amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: "\u00a0" }));

/** @typedef {[Node, number]} Block An element, and the line after it. */

/** The blocks of a text. @param {string} source @returns {Node[]} */
export const markdown = (source) => blocks(source.replace(/\r\n?/g, "\n").split("\n"), 0);

// --- blocks -----------------------------------------------------------------------------------------------------------

/** @param {string[]} lines @param {number} depth */
function blocks(lines, depth) {
  const found = [];
  for (let at = 0; at < lines.length; ) {
    if (!lines[at].trim()) at += 1;
    else {
      const [block, next] = begin(lines, at, depth) ?? paragraph(lines, at, depth);
      found.push(block);
      at = next;
    }
  }
  return found;
}

/** The block that begins at a line, if it is no paragraph. @param {string[]} lines @param {number} at @param {number} depth @returns {Block | null} */
function begin(lines, at, depth) {
  const line = lines[at];
  const heading = /^ {0,3}#{1,6}\s(.*)/.exec(line);
  if (/^ {0,3}(```|~~~)/.test(line)) return fence(lines, at);
  if (heading) return [h("p", { class: "heading", role: "heading", "aria-level": "3" }, inline(heading[1].trim().replace(/\s#+$/, ""))), at + 1];
  if (/^ {0,3}([-*_])( *\1){2,} *$/.test(line)) return [h("hr"), at + 1];
  if (isTable(line, lines[at + 1] ?? "")) return table(lines, at);
  if (depth === MAX_DEPTH) return null;
  if (/^ {0,3}>/.test(line)) return quote(lines, at, depth);
  return ITEM.test(line) ? list(lines, at, depth) : null;
}

/** @param {string[]} lines @param {number} at @param {number} depth @returns {Block} */
function paragraph(lines, at, depth) {
  let end = at + 1;
  while (end < lines.length && lines[end].trim() && !begins(lines, end, depth)) end += 1;
  return [h("p", {}, inline(lines.slice(at, end).map((line) => line.trim()).join("\n"))), end];
}

/** Whether a paragraph ends before that line. @param {string[]} lines @param {number} at @param {number} depth */
function begins(lines, at, depth) {
  if (/^ {0,3}(```|~~~|#{1,6}\s|([-*_])( *\2){2,} *$)/.test(lines[at])) return true;
  return depth < MAX_DEPTH && /^ {0,3}(>|[-*+] +\S|1[.)] +\S)/.test(lines[at]);
}

/** @param {string[]} lines @param {number} at @returns {Block} */
function fence(lines, at) {
  const [mark] = /`{3,}|~{3,}/.exec(lines[at]) ?? [""];
  let end = at + 1;
  while (end < lines.length && !(lines[end].trim().startsWith(mark) && !lines[end].trim().replaceAll(mark[0], ""))) end += 1;
  return [h("pre", { tabindex: "0" }, h("code", {}, lines.slice(at + 1, end).join("\n"))), end + 1];
}

/** @param {string[]} lines @param {number} at @param {number} depth @returns {Block} */
function quote(lines, at, depth) {
  let end = at;
  while (end < lines.length && /^ {0,3}>/.test(lines[end])) end += 1;
  const inside = lines.slice(at, end).map((line) => line.replace(/^ {0,3}> ?/, ""));
  return [h("blockquote", {}, blocks(inside, depth + 1)), end];
}

const ITEM = /^( {0,3})([-*+]|\d{1,9}[.)])( +)(?=\S)/;

/** @param {string[]} lines @param {number} at @param {number} depth @returns {Block} */
function list(lines, at, depth) {
  const [, , first] = /** @type {RegExpExecArray} */ (ITEM.exec(lines[at]));
  const kind = (/** @type {string} */ mark) => (/\d/.test(mark) ? "ol" : "ul");
  /** @type {string[][]} */ const items = [];
  let indent = 0;
  for (; at < lines.length; at += 1) {
    const item = ITEM.exec(lines[at]);
    const isInside = items.length > 0 && lines[at].search(/[^ ]|$/) >= indent;
    if (item && !isInside && kind(item[2]) === kind(first)) {
      indent = item[0].length;
      items.push([lines[at].slice(indent)]);
    } else if (!items.length || (item && !isInside)) break;
    else if (isInside || !lines[at].trim()) items[items.length - 1].push(lines[at].slice(indent));
    else if (lines[at - 1].trim() && !begins(lines, at, depth)) items[items.length - 1].push(lines[at]);
    else break;
  }
  const start = parseInt(first, 10);
  return [h(kind(first), { start: start > 1 ? start : null }, items.map((inside) => h("li", {}, tight(blocks(inside, depth + 1))))), at];
}

/** A single paragraph of an item needs no element of its own. @param {Node[]} nodes */
const tight = (nodes) => nodes.flatMap((node, at) => (at === 0 && node.nodeName === "P" ? [...node.childNodes] : [node]));

/** The texts between the bars of a line. @param {string} line */
const columns = (line) => line.trim().replace(/^\||(?<!\\)\|$/g, "").split(/(?<!\\)\|/);

/** Whether a table begins with these two lines. @param {string} head @param {string} rule */
const isTable = (head, rule) => head.includes("|") && rule.includes("-") && /^[\s|:-]+$/.test(rule) && columns(head).length === columns(rule).length;

/** @param {string[]} lines @param {number} at @returns {Block} */
function table(lines, at) {
  let end = at + 2;
  while (end < lines.length && lines[end].includes("|")) end += 1;
  const cells = (/** @type {string} */ line) => columns(line).map((cell) => inline(cell.trim().replaceAll("\\|", "|")));
  const head = cells(lines[at]);
  const row = (/** @type {string} */ line) => h("tr", {}, cells(line).slice(0, head.length).map((cell) => h("td", {}, cell)));
  const body = lines.slice(at + 2, end).map(row);
  const made = h("table", {}, h("thead", {}, h("tr", {}, head.map((cell) => h("th", { scope: "col" }, cell)))), h("tbody", {}, body));
  return [h("div", { class: "wide", tabindex: "0" }, made), end];
}

// --- within a line ----------------------------------------------------------------------------------------------------

const LINK = /!?\[((?:[^[\]\\]|\\.|\[[^[\]]*\])*)\]\(\s*<?((?:[^\s()<>]|\([^\s()<>]*\))+)>?(?:\s+"[^"]*")?\s*\)/y;
const ADDRESS = /<((?:https?|mailto):[^\s<>]+)>/iy;
const BARE = /https?:\/\/[^\s<>"'`（）「」，。；]{1,2000}/iy;
const ENTITY = /&(?:#(\d{1,7})|#x([\da-f]{1,6})|([a-z]{2,4}));/iy;
/** @type {[string, "strong" | "s" | "em"][]} */
const EMPHASIS = [["**", "strong"], ["__", "strong"], ["~~", "s"], ["*", "em"], ["_", "em"]];

/** The words of a line with their emphasis, code and links. @param {string} text @param {number} [depth] @returns {(Node | string)[]} */
export function inline(text, depth = 0) {
  /** @type {(Node | string)[]} */ const found = [];
  const unclosed = new Set(); // marks that do not come again: they are not looked for a second time
  let plain = "";
  for (let at = 0; at < text.length; ) {
    const [node, next] = special(text, at, depth, unclosed) ?? [text[at], at + 1];
    if (typeof node === "string") plain += node;
    else {
      if (plain) found.push(plain);
      plain = "";
      found.push(node);
    }
    at = next;
  }
  return plain ? [...found, plain] : found;
}

/**
 * What begins at that place, if it is no plain character, and the place after it.
 *
 * @param {string} text @param {number} at @param {number} depth @param {Set<string>} unclosed
 * @returns {[Node | string, number] | null}
 */
function special(text, at, depth, unclosed) {
  switch (text[at]) {
    case "\\":
      return /[!-/:-@[-`{-~]/.test(text[at + 1] ?? "") ? [text[at + 1], at + 2] : null;
    case "&":
      return entity(text, at);
    case "`":
      return code(text, at, unclosed);
  }
  if (depth === IN_LINK) return null;
  switch (text[at]) {
    case "!":
    case "[":
      return linked(text, at, depth);
    case "<": {
      const found = matched(ADDRESS, text, at);
      return found && [link(found[1], found[1].replace(/^mailto:/i, "")), at + found[0].length];
    }
    case "h":
    case "H":
      return bare(text, at);
    default:
      return depth < MAX_DEPTH ? emphasis(text, at, depth, unclosed) : null;
  }
}

/** @param {RegExp} pattern @param {string} text @param {number} at */
function matched(pattern, text, at) {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

/** @param {string} text @param {number} at @returns {[string, number] | null} */
function entity(text, at) {
  const found = matched(ENTITY, text, at);
  if (!found) return null;
  const number = found[1] ? parseInt(found[1], 10) : parseInt(found[2] ?? "", 16);
  const character = found[3] ? NAMED.get(found[3].toLowerCase()) : number > 0 && number <= 0x10ffff ? String.fromCodePoint(number) : "\ufffd";
  return character === undefined ? null : [character, at + found[0].length];
}

/** @param {string} text @param {number} at @param {Set<string>} unclosed @returns {[Node | string, number]} */
function code(text, at, unclosed) {
  const [ticks] = /** @type {RegExpExecArray} */ (matched(/`+/y, text, at));
  const begin = at + ticks.length;
  for (let end = unclosed.has(ticks) ? -1 : text.indexOf(ticks, begin); end >= 0; ) {
    const run = /** @type {RegExpExecArray} */ (matched(/`+/y, text, end))[0].length;
    if (run === ticks.length) return [h("code", {}, unpadded(text.slice(begin, end))), end + run];
    end = text.indexOf(ticks, end + run);
  }
  unclosed.add(ticks);
  return [ticks, begin];
}

/** Code without the space on both sides that keeps its ticks apart from the others. @param {string} code */
const unpadded = (code) => (code.startsWith(" ") && code.endsWith(" ") && code.trim() ? code.slice(1, -1) : code);

/** @param {string} text @param {number} at @param {number} depth @returns {[Node, number] | null} */
function linked(text, at, depth) {
  const found = matched(LINK, text, at);
  if (!found) return null;
  const [whole, words, address] = found;
  const end = at + whole.length;
  if (!safe(address)) return [h("span", {}, whole), end];
  const plain = words.replace(/\\(.)/gs, "$1");
  const shown = text[at] === "!" || depth === MAX_DEPTH ? [plain] : inline(words, IN_LINK);
  const made = link(address, plain.trim() ? shown : address);
  made.append(elsewhere(made.textContent ?? "", address));
  return [made, end];
}

/** Where a link goes, in brackets, if its words name another site. @param {string} words @param {string} address */
function elsewhere(words, address) {
  const { host, hostname, pathname } = new URL(address);
  const site = hostname || pathname.replace(/^.*@/, "");
  const seen = words.normalize("NFKC").replace(/\p{Cf}/gu, "").toLowerCase(); // without what nobody sees
  const names = seen.split(/[^\p{L}\p{N}.-]+/u).map((name) => name.replace(/^[.-]+|[.-]+$/g, ""));
  const isOther = (/** @type {string} */ name) => /\.\p{L}[\p{L}\p{N}-]+$/u.test(name) && !`.${site}`.endsWith(`.${name}`);
  return names.some(isOther) ? ` (${host || pathname})` : "";
}

/** An address without marks around it. @param {string} text @param {number} at @returns {[Node, number] | null} */
function bare(text, at) {
  const found = /[\p{L}\p{N}_]/u.test(text[at - 1] ?? "") ? null : matched(BARE, text, at);
  let length = found?.[0].length ?? 0;
  while (length && ".,:;!?*_~)]|".includes(text[at + length - 1])) length -= 1; // they end the sentence
  const address = text.slice(at, at + length);
  return safe(address) ? [link(address, address), at + length] : null;
}

/** @param {string} text @param {number} at @param {number} depth @param {Set<string>} unclosed @returns {[Node, number] | null} */
function emphasis(text, at, depth, unclosed) {
  const [mark, tag] = EMPHASIS.find(([each]) => text.startsWith(each, at)) ?? [];
  if (!mark || !tag || unclosed.has(mark)) return null;
  const begin = at + mark.length;
  const isWord = (/** @type {string | undefined} */ character) => /[\p{L}\p{N}]/u.test(character ?? "");
  if (/^\s?$/.test(text[begin] ?? "") || (mark[0] === "_" && isWord(text[at - 1]))) return null;
  for (let end = text.indexOf(mark, begin + 1); end >= 0; end = text.indexOf(mark, end + 1)) {
    /** @type {string | undefined} */ const after = text[end + mark.length];
    if (mark.length === 1 && (after === mark || text[end - 1] === mark)) continue; // a part of a longer mark
    if (/[\s\\]/.test(text[end - 1]) || (mark[0] === "_" && isWord(after))) continue;
    if (mark.length === 2 && after === mark[0]) end += 1; // the first of three ends what is inside
    return [h(tag, {}, inline(text.slice(begin, end), depth + 1)), end + mark.length];
  }
  unclosed.add(mark);
  return null;
}
