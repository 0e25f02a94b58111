// The subset of Markdown that bots send, drawn as elements. It is never parsed as HTML.

import { h } from "/static/js/dom.js";

const INLINE =
  /(`+)(.+?)\1|\*\*(.+?)\*\*|~~(.+?)~~|\*([^*\s][^*]*?)\*|\[([^\]]*)\]\(([^)\s]+)\)|<font color=['"]?(\w+)['"]?>(.*?)<\/font>|(https?:\/\/[^\s<>"'）)]+)/;

export function inline(text) {
  const out = [];
  let rest = text;
  for (let found = INLINE.exec(rest); found; found = INLINE.exec(rest)) {
    if (found.index) out.push(rest.slice(0, found.index));
    out.push(element(found));
    rest = rest.slice(found.index + found[0].length);
  }
  return rest ? [...out, rest] : out;
}

function element([all, , code, bold, struck, italic, words, href, tone, toned, bare]) {
  if (code !== undefined) return h("code", {}, code);
  if (bold !== undefined) return h("strong", {}, inline(bold));
  if (struck !== undefined) return h("s", {}, inline(struck));
  if (italic !== undefined) return h("em", {}, inline(italic));
  if (href !== undefined) return link(href, words || href);
  if (toned !== undefined) return h("span", { class: `tone-${tone}` }, inline(toned));
  return link(bare ?? all, bare ?? all);
}

function link(href, words) {
  if (!/^https?:\/\//.test(href)) return words;
  return h("a", { href, target: "_blank", rel: "noopener noreferrer" }, words);
}

export function markdown(source) {
  const box = h("div", { class: "md" });
  const lines = source.replace(/\r\n/g, "\n").split("\n");
  for (let at = 0; at < lines.length; ) {
    const [block, next] = blockAt(lines, at);
    if (block) box.append(block);
    at = next;
  }
  return box;
}

const START = /^(```|#{1,6} |> ?|[-*] |\d+[.)] |---+\s*$)/;

function blockAt(lines, at) {
  const line = lines[at].trimStart();
  if (!line) return [null, at + 1];
  if (line.startsWith("```")) {
    let end = at + 1;
    while (end < lines.length && !lines[end].trimStart().startsWith("```")) end += 1;
    return [h("pre", {}, lines.slice(at + 1, end).join("\n")), end + 1];
  }
  if (/^---+\s*$/.test(line)) return [h("hr"), at + 1];
  const heading = /^#{1,6} (.*)$/.exec(line);
  if (heading) return [h("h4", {}, inline(heading[1])), at + 1];
  for (const [pattern, make] of GROUPS) {
    if (pattern.test(line)) {
      let end = at;
      while (end < lines.length && pattern.test(lines[end].trimStart())) end += 1;
      return [make(lines.slice(at, end).map((one) => one.trimStart().replace(pattern, ""))), end];
    }
  }
  let end = at + 1;
  while (end < lines.length && lines[end].trim() && !START.test(lines[end].trimStart())) end += 1;
  return [h("p", {}, inline(lines.slice(at, end).join("\n"))), end];
}

const items = (tag) => (texts) => h(tag, {}, texts.map((text) => h("li", {}, inline(text))));
const GROUPS = [
  [/^> ?/, (texts) => h("blockquote", {}, markdown(texts.join("\n")))],
  [/^[-*] /, items("ul")],
  [/^\d+[.)] /, items("ol")],
];
