// Bytes and JSON as readable text.

import { h } from "/static/js/dom.js";

export const decode = (base64) => Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));

export const asText = (bytes) => new TextDecoder("utf-8").decode(bytes);

export function asHex(bytes) {
  const lines = [];
  for (let at = 0; at < bytes.length; at += 16) {
    const row = [...bytes.slice(at, at + 16)];
    const hex = row.map((byte) => byte.toString(16).padStart(2, "0")).join(" ").padEnd(47);
    const text = row.map((byte) => (byte > 31 && byte < 127 ? String.fromCharCode(byte) : "·")).join("");
    lines.push(`${at.toString(16).padStart(6, "0")}  ${hex}  ${text}`);
  }
  return lines.join("\n");
}

const TOKEN = /("(?:\\.|[^"\\])*")(\s*:)?|\b(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)\b/g;

// A value as JSON with colours.
export function json(value) {
  const text = typeof value === "string" ? value : JSON.stringify(value, null, 2);
  const box = h("pre", { class: "code", tabindex: "0" });
  if (typeof value === "string") {
    box.append(text);
    return box;
  }
  let end = 0;
  for (const found of text.matchAll(TOKEN)) {
    box.append(text.slice(end, found.index));
    const [all, string, colon, literal] = found;
    if (string && colon) box.append(h("span", { class: "k" }, string), colon);
    else box.append(h("span", { class: literal ? "n" : "s" }, all));
    end = found.index + all.length;
  }
  box.append(text.slice(end));
  return box;
}
