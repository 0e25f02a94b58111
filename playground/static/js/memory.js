// Two panes about the open conversation: the state that the bot keeps in `turn.state`, and the deferred replies.

import * as api from "/static/js/api.js";
import { json } from "/static/js/bytes.js";
import { fill, h } from "/static/js/dom.js";
import { clock, t } from "/static/js/i18n.js";
import { on, state } from "/static/js/state.js";

const PANES = ["state", "deferred"];
const EVERY_MS = 1500;
let found = null, problem = "", timer = 0;
const boxes = {};

export function statePane(element) {
  boxes.state = element;
  on("pane", read);
  on("place", () => { found = null; read(); });
  on("message delivery call", () => { clearTimeout(timer); timer = setTimeout(read, 200); });
  on("language", draw);
}

export function deferredPane(element) {
  boxes.deferred = element;
}

async function read() {
  clearTimeout(timer);
  if (!PANES.includes(state.pane)) return;
  const { platform, app, room } = state;
  const before = JSON.stringify([found, problem]);
  try {
    const answer = await api.state(platform, app, room);
    if (room !== state.room) return;
    found = answer;
    problem = "";
  } catch (error) {
    problem = error.message;
  }
  if (!PANES.includes(state.pane)) return;
  if (JSON.stringify([found, problem]) !== before || !boxes[state.pane].childElementCount) draw();
  clearTimeout(timer);
  timer = setTimeout(read, EVERY_MS);
}

function draw() {
  const explain = (text) => h("p", { class: "explain" }, text);
  const error = problem ? h("p", { class: "about" }, t("unknownError", { why: problem })) : null;
  fill(boxes.state, explain(t("state.why")), error, stored());
  const replies = found?.deferred || [];
  fill(boxes.deferred, explain(t("deferred.why")), error, replies.length ? h("ul", { class: "replies" }, replies.map(reply)) : found && explain(t("deferred.none")));
}

function stored() {
  if (!found) return null;
  if (!found.key) return h("p", { class: "explain" }, t("state.unknown"));
  const facts = { [t("state.key")]: `conv#${found.key}`, [t("state.version")]: String(found.version) };
  return [
    found.memory && Object.keys(found.memory).length ? json(found.memory) : h("p", { class: "explain" }, t("state.none")),
    h("dl", { class: "pairs" }, Object.entries(facts).map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)])),
  ];
}

function reply({ id, created, state: name, reason, text }) {
  return h("li", {},
    h("div", { class: "head" }, h("span", { class: "pill warn" }, name), h("time", {}, clock(created, true))),
    h("div", { class: "words" }, text),
    reason ? h("div", { class: "reason" }, reason) : null,
    h("code", {}, id));
}
