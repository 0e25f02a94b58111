// The trace of a message, from the bytes of the callback to the calls of the platform's API.

import * as api from "/static/js/api.js";
import { asHex, asText, decode, json } from "/static/js/bytes.js";
import { h, toast } from "/static/js/dom.js";
import { label, named, t } from "/static/js/i18n.js";
import { changed, on, platform, senderOf, state } from "/static/js/state.js";
import { logLine } from "/static/js/logs.js";
import { why } from "/static/js/outcomes.js";
import { hidePane, showPane } from "/static/js/panel.js";
import { isExpected, outcome, redeliveryTitle, steps, timeline } from "/static/js/timeline.js";

const REFRESH_MS = 700;
const REFRESH_FOR_MS = 90_000;
const FORGERIES = ["signature", "stale", "plain", "truncated"];
const openSections = new Set(["failure", "times"]);
let box, trace, showHex = false, timer = 0, refreshUntil = 0;

export function tracePane(element) {
  box = element;
  on("open", open);
  on("place", () => state.pane === "trace" ? hidePane(false) : clear());
  on("pane", () => state.pane || clear());
  on("delivery call outcome", () => state.traced && refreshAfter(150));
  on("language", drawPane);
  drawPane();
}

function open(id) {
  state.traced = id;
  trace = null;
  refreshUntil = Date.now() + REFRESH_FOR_MS;
  drawPane();
  showPane("trace");
  changed("traced");
  refresh();
}

function clear() {
  if (!state.traced) return;
  state.traced = "";
  trace = null;
  clearTimeout(timer);
  drawPane();
  changed("traced");
}

function refreshAfter(ms) {
  clearTimeout(timer);
  timer = setTimeout(refresh, ms);
}

async function refresh() {
  const id = state.traced;
  if (!id) return;
  try {
    const found = await api.trace(id);
    if (id !== state.traced) return;
    if (!trace || JSON.stringify(found) !== JSON.stringify(trace)) {
      trace = found;
      draw();
    }
    if (!isFinished(found) && Date.now() < refreshUntil) refreshAfter(REFRESH_MS);
  } catch (error) {
    box.replaceChildren(h("p", { class: "about" }, t("unknownError", { why: error.message })));
  }
}

function isFinished({ delivery, failure, journal }) {
  if (!delivery || delivery.state === "failed") return true;
  const replies = journal?.replies || [];
  return (failure?.traceback || journal?.state === "DONE") && replies.every((reply) => ["SENT", "FAILED", "UNKNOWN"].includes(reply.state));
}

const title = () => t(trace?.delivery?.kind === "action" ? "trace.press" : "trace.title");

function drawPane() {
  if (trace) draw();
  else box.replaceChildren(h("p", { class: "about" }, t(state.traced ? "trace.loading" : "trace.choose")));
}

function draw() {
  const { scrollTop } = box;
  const name = platform() ? label(platform()) : trace.platform;
  const { message, delivery } = trace;
  const rows = [h("h2", {}, title()), about(message), whyNot(message)];
  if (delivery) rows.push(stepsRow(), failure(), section("times", t("times"), "", timelineList()), callback(name), decrypted(), unified(), journal(), logs());
  else if (message?.sender.kind !== "user") rows.push(h("p", { class: "about" }, t("trace.push", { platform: name })));
  rows.push(calls(name));
  if (delivery) rows.push(redeliver());
  box.replaceChildren(...rows.filter(Boolean));
  // The end of a traceback says most.
  for (const element of box.querySelectorAll(".traceback")) element.scrollTop = element.scrollHeight;
  box.scrollTop = scrollTop;
}

function whyNot(message) {
  const found = message && message.sender.kind !== "user" && !trace.delivery ? null : why(trace.outcome);
  return found && h("p", { class: `verdict ${found.tone}` }, found.icon?.(), h("span", {}, found.text));
}

function failure() {
  if (!trace.failure) return null;
  const { error, traceback } = trace.failure;
  return section("failure", t("failure"), "", ...(traceback ? [codeBar(traceback), h("pre", { class: "code traceback", tabindex: "0" }, traceback)] : [explanation(error), explanation(t("failure.later"))]));
}

function logs() {
  const rows = trace.logs.map(logLine);
  return section("logs", t("pane.logs"), String(rows.length), explanation(t("logs.why")), rows.length ? h("ol", { class: "lines" }, rows) : explanation(t("logs.none")));
}

function senderName(message) {
  const person = senderOf(message);
  return person ? named(person) : message?.sender.name || "";
}

function about(message) {
  if (!message) return null;
  const room = platform()?.rooms.find((one) => one.id === message.room);
  const isReply = trace.message_id !== state.traced ? ` ${t("trace.reply")}` : "";
  const name = senderName(message);
  const where = room?.kind === "group" ? t("trace.of", { name, room: named(room) }) : t("trace.to", { name, bot: message.app });
  return h("p", { class: "about" }, where, " ", h("q", {}, message.text), isReply);
}

// A section that can be folded. It stays open when the panel is drawn again.
function section(name, heading, small, ...content) {
  const box = h("details", { open: openSections.has(name), data: { fold: name } }, h("summary", {}, heading, small ? h("small", {}, small) : null), h("div", { class: "inside" }, content));
  box.addEventListener("toggle", () => (box.open ? openSections.add(name) : openSections.delete(name)));
  return box;
}

const explanation = (text) => h("p", { class: "explain" }, text);

function stepsRow() {
  return h("ol", { class: "steps" }, steps(trace).map(({ name, tone, at }) => h("li", { class: tone }, h("b", {}, t(name)), h("span", {}, at))));
}

function timelineList() {
  return h("ul", { class: "timeline" }, timeline(trace, senderName(trace.message)).map((event) =>
    h("li", { class: event.tone }, h("time", {}, event.at), h("i"), h("div", {}, event.title, event.detail ? h("div", { class: "detail" }, event.detail) : null))));
}

function copyButton(text) {
  const copy = () => navigator.clipboard.writeText(text).then(() => toast(t("copied")));
  return h("button", { type: "button", class: "quiet", on: { click: copy } }, t("copy"));
}

const codeBar = (text, ...buttons) => h("div", { class: "codebar" }, buttons, h("span", { class: "space" }), copyButton(text));
const pairs = (values) => h("dl", { class: "pairs" }, Object.entries(values).map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));

function callback(name) {
  const { wire } = trace;
  const bytes = decode(wire.body);
  const text = showHex ? asHex(bytes) : asText(bytes);
  const query = new URLSearchParams(wire.query).toString();
  const format = (hex) => h("button", { type: "button", class: "quiet", "aria-pressed": String(showHex === hex), on: { click: () => { showHex = hex; draw(); } } }, t(hex ? "hex" : "text"));
  return section("wire", t("wire"), t("wireBytes", { n: wire.size }), explanation(t("wire.why", { platform: name })),
    pairs({ [wire.method]: wire.url + (query ? `?${query}` : ""), ...wire.headers }),
    codeBar(text, format(false), format(true)),
    h("pre", { class: showHex ? "code hex" : "code", tabindex: "0" }, text));
}

function decrypted() {
  const text = typeof trace.plain === "string" ? trace.plain : JSON.stringify(trace.plain, null, 2);
  return section("plain", t("plain"), "", explanation(t(trace.wire.encrypted ? "plain.why" : "notEncrypted")), codeBar(text), json(trace.plain));
}

function unified() {
  if (!trace.unified) return section("unified", t("unified"), "", explanation(trace.journal_error || t("unified.none")));
  return section("unified", t("unified"), "", explanation(t("unified.why")), codeBar(JSON.stringify(trace.unified, null, 2)), json(trace.unified));
}

const TONES = { DONE: "good", SENT: "good", FAILED: "bad", UNKNOWN: "bad", SENDING: "warn", PENDING: "warn" };
const statePill = (name) => h("span", { class: `pill ${TONES[name] || ""}` }, name);

// The platform's ids of a reply's messages. Some APIs return no ids.
function receiptsOf(reply) {
  const receipts = reply.receipts.filter(Boolean).map((one) => (one === "passive" ? t("within") : one));
  return receipts.length ? ` → ${receipts.join(", ")}` : "";
}

function journal() {
  const found = trace.journal;
  if (!found) return section("journal", t("journal"), "", explanation(trace.journal_error || t("journal.none")));
  const replies = found.replies.map((reply, at) => h("li", {},
    h("div", { class: "head" }, h("b", {}, t("replyN", { n: at + 1 })), statePill(reply.state), h("span", {}, reply.attempts === 1 ? t("attempts1") : t("attempts", { n: reply.attempts }))),
    reply.reason ? h("div", {}, reply.reason) : null,
    h("code", {}, reply.id, receiptsOf(reply))));
  return section("journal", t("journal"), found.states.map((one) => one.state).join(" → "), found.reason ? explanation(found.reason) : null, replies.length ? h("ul", { class: "replies" }, replies) : explanation(t("journal.none")));
}

function calls(name) {
  const rows = trace.calls.map((call) => {
    const { status, good } = outcome(call);
    const fault = call.fault && h("span", { class: "pill warn" }, t("fault", { kind: call.fault }));
    return h("details", { class: "call" },
      h("summary", {}, h("span", { class: "path" }, `${call.method} ${call.path}`), fault, h("span", { class: "ms" }, `${call.ms.toFixed(1)} ms`), h("span", { class: `pill ${good ? "good" : "bad"}` }, status)),
      h("div", { class: "inside" }, h("h3", {}, t("request")), json(call.body ?? ""), h("h3", {}, t("response")), json(call.response ?? "")));
  });
  const isPassive = trace.journal?.replies.some((reply) => reply.receipts.includes("passive"));
  return section("calls", t("calls"), String(trace.calls.length), explanation(t("calls.why", { platform: name })), rows.length ? rows : explanation(t(isPassive ? "calls.within" : "calls.none")));
}

function redeliver() {
  const results = h("ul", { class: "results" }, trace.delivery.redeliveries.map((one) => h("li", {},
    h("span", { class: `pill ${isExpected(one) ? "good" : "bad"}` }, String(one.status || t("noAnswer"))),
    redeliveryTitle(one), h("span", { class: "id" }, one.error || one.body))));
  const button = (text, options) => h("button", { type: "button", class: "outline", on: { click: (event) => deliver(event.currentTarget, options) } }, text);
  return section("redeliver", t("redeliver"), "", explanation(t("redeliver.why")),
    h("div", { class: "redeliver" }, button(t("redeliver.1"), { times: 1 }), button(t("redeliver.3"), { times: 3 }), FORGERIES.map((how) => button(t(`forge.${how}`), { forge: how }))),
    h("div", { role: "status" }, results));
}

async function deliver(button, options) {
  button.disabled = true;
  try {
    await api.deliver({ message_id: trace.message_id, ...options });
  } catch (error) {
    toast(t("unknownError", { why: error.message }), true);
  }
  button.disabled = false;
  refreshAfter(0);
}
