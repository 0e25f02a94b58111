// The logs pane: the lines of all functions, the newest at the end. It reads them only while it is shown.

import * as api from "/static/js/api.js";
import { h, icon } from "/static/js/dom.js";
import { clock, t } from "/static/js/i18n.js";
import { on, state } from "/static/js/state.js";

const EVERY_MS = 1000;
const OVERLAP_SECONDS = 60;
const MAX_LINES = 1000;
const NEAR_END_PX = 60;
let box, list, problem, onlyFunction, onlyText, lines = [], functions = [], from, timer = 0;

export function logsPane(element) {
  box = element;
  on("pane", start);
  on("language", build);
  build();
}

function build() {
  const chosen = [onlyFunction?.value || "", onlyText?.value || ""];
  onlyFunction = h("select", { class: "field", "aria-label": t("logs.function"), on: { change: draw } });
  onlyText = h("input", { class: "field", type: "search", placeholder: t("logs.text"), "aria-label": t("logs.text"), on: { input: draw } });
  const clear = h("button", { type: "button", class: "quiet", title: t("logs.clear"), "aria-label": t("logs.clear"), on: { click: empty } }, icon("clear"));
  problem = h("p", { class: "about", role: "status" });
  list = h("ol", { class: "lines", tabindex: "0", "aria-label": t("pane.logs") });
  box.replaceChildren(h("div", { class: "filters" }, onlyFunction, onlyText, clear), problem, list);
  drawFunctions(chosen[0]);
  onlyText.value = chosen[1];
  draw();
}

function start() {
  clearTimeout(timer);
  if (state.pane === "logs") read();
}

async function read() {
  try {
    const found = await api.logs(from);
    if (found.functions.join() !== functions.join()) {
      functions = found.functions;
      drawFunctions(onlyFunction.value);
    }
    merge(found.lines);
    problem.textContent = "";
  } catch (error) {
    problem.textContent = t("unknownError", { why: error.message });
  }
  clearTimeout(timer);
  if (state.pane === "logs") timer = setTimeout(read, EVERY_MS);
}

// The response holds the newest lines since `from`. The lines of a function appear when it ends, after later lines of
// others. So each request goes back as long as a function may run.
function merge(found) {
  const first = found[0]?.at ?? Infinity;
  const kept = lines.filter((line) => line.at < first);
  const all = [...kept, ...found].slice(-MAX_LINES);
  const last = lines.length - 1;
  const extended = last >= 0 && JSON.stringify(all[last]) === JSON.stringify(lines[last]);
  lines = all;
  if (lines.length) from = Math.max(from ?? 0, lines.at(-1).at - OVERLAP_SECONDS);
  if (extended && all.length < MAX_LINES) append(all.slice(last + 1));
  else draw();
}

function empty() {
  from = Date.now() / 1000;
  lines = [];
  draw();
}

function drawFunctions(chosen) {
  const option = (value, name) => h("option", { value, selected: value === chosen }, name);
  onlyFunction.replaceChildren(option("", t("logs.all")), ...functions.map((name) => option(name, name)));
}

function draw() {
  list.replaceChildren(h("li", { class: "none" }, t("logs.none")));
  append(lines);
  list.scrollTop = list.scrollHeight;
}

// Only new lines are added, so that a selection in the others stays.
function append(added) {
  const wanted = onlyText.value.trim().toLowerCase();
  const shown = added.filter((line) => (!onlyFunction.value || line.function === onlyFunction.value) && (!wanted || `${line.text} ${line.detail}`.toLowerCase().includes(wanted)));
  if (!shown.length) return;
  const follows = list.scrollHeight - list.scrollTop - list.clientHeight < NEAR_END_PX;
  list.querySelector(".none")?.remove();
  list.append(...shown.map(logLine));
  if (follows) list.scrollTop = list.scrollHeight;
}

const TONES = { ERROR: "bad", CRITICAL: "bad", WARNING: "warn" };

export function logLine({ at, function: name, level, text, detail }) {
  return h("li", { class: TONES[level] || (level ? "" : "printed") },
    h("time", { datetime: new Date(at * 1000).toISOString() }, clock(at, true)), " ",
    h("span", { class: "function" }, name), " ",
    h("b", {}, level || "print"), " ",
    h("span", { class: "words" }, text),
    detail ? h("pre", { tabindex: "0" }, detail) : null);
}
