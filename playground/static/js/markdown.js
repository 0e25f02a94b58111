// Markdown as the platforms' clients show it, drawn as elements. It is never parsed as HTML.

import { h } from "/static/js/dom.js";

const INLINE = {
  escape: String.raw`\\(?<escaped>[^0-9A-Za-z\s])`,
  entity: String.raw`&#(?<entity>\d{1,7});`,
  code: "(?<ticks>`+)(?<code>.+?)\\k<ticks>",
  bold: String.raw`\*\*(?<bold>.+?)\*\*`,
  underline: "__(?<underlined>.+?)__",
  strike: "~~(?<struck>.+?)~~",
  spoiler: String.raw`\|\|(?<spoiler>.+?)\|\|`,
  italic: String.raw`\*(?<italic>[^*\s][^*]*?)\*`,
  emphasis: String.raw`(?<![\p{L}\p{N}_])_(?<emphasis>[^_\s][^_]*?)_(?![\p{L}\p{N}_])`,
  link: String.raw`\[(?<words>[^\]]*)\]\((?<href>[^)\s]+)\)`,
  font: String.raw`<font color=['"]?(?<tone>\w+)['"]?>(?<toned>.*?)</font>`,
  tag: String.raw`<(?<tag>[bius])>(?<tagged>.*?)</\k<tag>>`,
  quiet: String.raw`<(?<quiet>https?://[^\s>]+)>`,
  bare: String.raw`(?<bare>https?://[^\s<>"'）)]+)`,
};

// What each client understands. Everything else stays as it was written. `plain` is a text without markup.
const DIALECTS = {
  plain: { inline: "bare", blocks: "" },
  feishu_text: { inline: "tag link bare", blocks: "" },
  feishu: { inline: "entity code bold strike italic link font bare", blocks: "fence rule heading table quote list" },
  wecom: { inline: "code bold link font bare", blocks: "heading quote" },
  discord: { inline: "escape code bold underline strike spoiler italic emphasis link quiet bare", blocks: "fence heading3 small quote list" },
  common: { inline: "code bold strike italic link font bare", blocks: "fence rule heading table quote list" },
};
const PATTERNS = Object.fromEntries(Object.entries(DIALECTS).map(([name, { inline: kinds }]) => [name, new RegExp(kinds.split(" ").map((kind) => INLINE[kind]).join("|"), "u")]));

export function inline(text, dialect = "plain") {
  const pattern = PATTERNS[dialect] || PATTERNS.plain;
  const out = [];
  let rest = text;
  for (let found = pattern.exec(rest); found; found = pattern.exec(rest)) {
    if (found.index) out.push(rest.slice(0, found.index));
    out.push(element(found.groups, dialect));
    rest = rest.slice(found.index + found[0].length);
  }
  return rest ? [...out, rest] : out;
}

const WRAPPED = { bold: "strong", struck: "s", italic: "em", emphasis: "em", underlined: "u" };
const TAGS = { b: "strong", i: "em", u: "u", s: "s" };

function element(found, dialect) {
  if (found.escaped !== undefined) return found.escaped;
  if (found.entity !== undefined) return character(Number(found.entity));
  if (found.code !== undefined) return h("code", {}, found.code);
  for (const [name, tag] of Object.entries(WRAPPED)) {
    if (found[name] !== undefined) return h(tag, {}, inline(found[name], dialect));
  }
  if (found.spoiler !== undefined) return h("span", { class: "spoiler", tabindex: "0" }, inline(found.spoiler, dialect));
  if (found.tagged !== undefined) return h(TAGS[found.tag], {}, inline(found.tagged, dialect));
  if (found.toned !== undefined) return h("span", { class: `tone-${found.tone}` }, inline(found.toned, dialect));
  if (found.href !== undefined) return link(found.href, found.words ? inline(found.words, dialect) : found.href);
  const bare = found.quiet ?? found.bare;
  return link(bare, bare);
}

const character = (number) => (number > 0 && number <= 0x10ffff ? String.fromCodePoint(number) : "\ufffd");

function link(href, words) {
  if (!/^https?:\/\//.test(href)) return h("span", {}, words);
  return h("a", { href, target: "_blank", rel: "noopener noreferrer" }, words);
}

export function markdown(source, dialect = "common") {
  const box = h("div", { class: "md" });
  const lines = source.replace(/\r\n/g, "\n").split("\n");
  const readers = (DIALECTS[dialect] || DIALECTS.common).blocks.split(" ").filter(Boolean).map((name) => BLOCKS[name]);
  for (let at = 0; at < lines.length; ) {
    const [block, next] = blockAt(lines, at, readers, dialect);
    if (block) box.append(block);
    at = next;
  }
  return box;
}

function blockAt(lines, at, readers, dialect) {
  if (!lines[at].trim()) return [null, at + 1];
  const begins = (place) => readers.map((read) => read(lines, place, dialect)).find(Boolean);
  const block = begins(at);
  if (block) return block;
  let end = at + 1;
  while (end < lines.length && lines[end].trim() && !begins(end)) end += 1;
  return [h("p", {}, inline(lines.slice(at, end).join("\n"), dialect)), end];
}

// Each reads the block that begins at a line: the element and the line after it; null if no such block begins there.
const BLOCKS = {
  fence(lines, at) {
    if (!lines[at].trimStart().startsWith("```")) return null;
    let end = at + 1;
    while (end < lines.length && !lines[end].trimStart().startsWith("```")) end += 1;
    return [h("pre", { tabindex: "0" }, lines.slice(at + 1, end).join("\n")), end + 1];
  },
  rule: (lines, at) => (/^\s*---+\s*$/.test(lines[at]) ? [h("hr"), at + 1] : null),
  heading: oneLine(/^\s*#{1,6} +(.*)$/, "h3"),
  heading3: oneLine(/^#{1,3} +(.*)$/, "h3"),
  small: oneLine(/^-# +(.*)$/, "p", { class: "small" }),
  quote: group(/^\s*> ?/, (texts, dialect) => h("blockquote", {}, markdown(texts.join("\n"), dialect))),
  list(lines, at, dialect) {
    return group(/^\s*[-*+] +/, items("ul"))(lines, at, dialect) || group(/^\s*\d+[.)] +/, items("ol"))(lines, at, dialect);
  },
  table(lines, at, dialect) {
    if (!lines[at].includes("|") || !/^[\s|:-]*-[\s|:-]*$/.test(lines[at + 1] || "")) return null;
    let end = at + 2;
    while (end < lines.length && lines[end].includes("|")) end += 1;
    const row = (line, tag) => h("tr", {}, line.trim().replace(/^\||\|$/g, "").split("|").map((cell) => h(tag, {}, inline(cell.trim(), dialect))));
    const table = h("table", {}, h("thead", {}, row(lines[at], "th")), h("tbody", {}, lines.slice(at + 2, end).map((line) => row(line, "td"))));
    return [h("div", { class: "wide", tabindex: "0" }, table), end];
  },
};

function oneLine(pattern, tag, props = {}) {
  return (lines, at, dialect) => {
    const found = pattern.exec(lines[at]);
    return found ? [h(tag, props, inline(found[1], dialect)), at + 1] : null;
  };
}

function group(pattern, make) {
  return (lines, at, dialect) => {
    let end = at;
    while (end < lines.length && pattern.test(lines[end])) end += 1;
    return end > at ? [make(lines.slice(at, end).map((one) => one.replace(pattern, "")), dialect), end] : null;
  };
}

function items(tag) {
  return (texts, dialect) => h(tag, {}, texts.map((text) => h("li", {}, inline(text, dialect))));
}
