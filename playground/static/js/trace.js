// The right: the trace of a message, from the bytes on the wire to the platform's own API.

import * as api from "/static/js/api.js";
import { asHex, asText, decode, json } from "/static/js/bytes.js";
import { h, icon, toast } from "/static/js/dom.js";
import { label, named, t } from "/static/js/i18n.js";
import { changed, on, platform, state } from "/static/js/state.js";
import { events, refusal, steps } from "/static/js/times.js";

const LOOK_EVERY = 700;
const LOOK_FOR = 90_000;
const unfolded = new Set(["times"]);
let drawer, inner, shown, asHexNow = false, timer = 0, until = 0, before = null;

export function traceDrawer(aside) {
  drawer = aside;
  on("open", open);
  on("place", () => close(false));
  on("delivery call", () => state.opened && soon(150));
  on("language", () => state.opened && drawShell());
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && state.opened && !document.querySelector("dialog[open]")) close();
  });
}

function open(id) {
  before = document.activeElement;
  state.opened = id;
  shown = null;
  until = Date.now() + LOOK_FOR;
  drawer.hidden = false;
  document.getElementById("frame").classList.add("with-trace");
  drawShell();
  drawer.querySelector("button").focus();
  changed("opened");
  look();
}

function close(back = true) {
  if (!state.opened) return;
  state.opened = "";
  clearTimeout(timer);
  drawer.hidden = true;
  document.getElementById("frame").classList.remove("with-trace");
  changed("opened");
  if (back) before?.focus?.();
}

function soon(ms) {
  clearTimeout(timer);
  timer = setTimeout(look, ms);
}

async function look() {
  const id = state.opened;
  if (!id) return;
  try {
    const found = await api.trace(id);
    if (id !== state.opened) return;
    const text = JSON.stringify(found);
    if (!shown || text !== JSON.stringify(shown)) {
      shown = found;
      draw();
    }
    if (!settled(found) && Date.now() < until) soon(LOOK_EVERY);
  } catch (error) {
    inner.replaceChildren(h("p", { class: "about" }, t("unknownError", { why: error.message })));
  }
}

function settled(found) {
  if (!found.delivery || found.delivery.state === "failed") return true;
  const replies = found.journal?.replies || [];
  return found.journal?.state === "DONE" && replies.every((reply) => ["SENT", "FAILED", "UNKNOWN"].includes(reply.state));
}

const title = () => t(shown?.delivery?.kind === "action" ? "trace.press" : "trace.title");

function drawShell() {
  inner = h("div", { class: "inner", tabindex: "-1" }, h("p", { class: "about" }, t("trace.loading")));
  drawer.setAttribute("aria-label", t("trace.title"));
  drawer.replaceChildren(
    h("header", {}, h("h2", {}, title()), h("button", { type: "button", class: "quiet", "aria-label": t("close"), title: t("close"), on: { click: () => close() } }, icon("close"))),
    inner);
  if (shown) draw();
}

function draw() {
  const top = inner.scrollTop;
  drawer.querySelector("h2").textContent = title();
  const name = platform() ? label(platform()) : shown.platform;
  const { message, delivery } = shown;
  const rows = [about(message)];
  if (!delivery) rows.push(h("p", { class: "about" }, t(message?.sender.kind === "user" ? "trace.undelivered" : "trace.push", { platform: name })));
  else {
    rows.push(drawSteps(), fold("times", t("times"), "", drawTimes()), wire(name), plain(), unified(), journal());
  }
  rows.push(calls(name));
  if (delivery) rows.push(again());
  inner.replaceChildren(...rows.filter(Boolean));
  inner.scrollTop = top;
}

function senderName(message) {
  const known = platform()?.persons.find((one) => one.id === message?.sender.id);
  return known ? named(known) : message?.sender.name || "";
}

function about(message) {
  if (!message) return null;
  const room = platform()?.rooms.find((one) => one.id === message.room);
  const answer = shown.message_id !== state.opened ? ` ${t("trace.answer")}` : "";
  const name = senderName(message);
  const where = room?.kind === "group" ? t("trace.of", { name, room: named(room) }) : t("trace.to", { name, bot: message.app });
  return h("p", { class: "about" }, where, " ", h("q", {}, message.text), answer);
}

function fold(name, title, small, ...content) {
  const box = h("details", { open: unfolded.has(name), data: { fold: name } }, h("summary", {}, title, small ? h("small", {}, small) : null), h("div", { class: "inside" }, content));
  box.addEventListener("toggle", () => (box.open ? unfolded.add(name) : unfolded.delete(name)));
  return box;
}

const explain = (text) => h("p", { class: "explain" }, text);

function drawSteps() {
  return h("ol", { class: "steps" }, steps(shown).map(({ name, how, at }) => h("li", { class: how }, h("b", {}, t(name)), h("span", {}, at))));
}

function drawTimes() {
  return h("ul", { class: "times" }, events(shown, senderName(shown.message)).map(({ at, title, detail, tone }) =>
    h("li", { class: tone }, h("time", {}, at), h("i"), h("div", {}, title, detail ? h("div", { class: "detail" }, detail) : null))));
}

function copyButton(text) {
  const copy = () => navigator.clipboard.writeText(text).then(() => toast(t("copied")));
  return h("button", { type: "button", class: "quiet", on: { click: copy } }, t("copy"));
}

const pairs = (values) => h("dl", { class: "pairs" }, Object.entries(values).map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));

function wire(name) {
  const sent = shown.wire;
  const bytes = decode(sent.body);
  const text = asHexNow ? asHex(bytes) : asText(bytes);
  const query = new URLSearchParams(sent.query).toString();
  const choose = (hex) => h("button", { type: "button", class: "quiet", "aria-pressed": String(asHexNow === hex), on: { click: () => { asHexNow = hex; draw(); } } }, t(hex ? "hex" : "text"));
  return fold("wire", t("wire"), t("wireBytes", { n: sent.size }), explain(t("wire.why", { platform: name })),
    pairs({ [sent.method]: sent.url + (query ? `?${query}` : ""), ...sent.headers }),
    h("div", { class: "codebar" }, choose(false), choose(true), h("span", { class: "space" }), copyButton(text)),
    h("pre", { class: asHexNow ? "code hex" : "code", tabindex: "0" }, text));
}

function plain() {
  const text = typeof shown.plain === "string" ? shown.plain : JSON.stringify(shown.plain, null, 2);
  return fold("plain", t("plain"), "", explain(t(shown.wire.encrypted ? "plain.why" : "notEncrypted")), h("div", { class: "codebar" }, h("span", { class: "space" }), copyButton(text)), json(shown.plain));
}

function unified() {
  if (!shown.unified) return fold("unified", t("unified"), "", explain(shown.journal_error || t("unified.none")));
  return fold("unified", t("unified"), "", explain(t("unified.why")), h("div", { class: "codebar" }, h("span", { class: "space" }), copyButton(JSON.stringify(shown.unified, null, 2))), json(shown.unified));
}

const TONES = { DONE: "good", SENT: "good", FAILED: "bad", UNKNOWN: "bad", SENDING: "warn", PENDING: "warn" };
const statePill = (word) => h("span", { class: `pill ${TONES[word] || ""}` }, word);

// What a reply became. Some APIs return no ids: then there is nothing to show.
function receiptsOf(reply) {
  const known = reply.receipts.filter(Boolean).map((one) => (one === "passive" ? t("within") : one));
  return known.length ? ` → ${known.join(", ")}` : "";
}

function journal() {
  const found = shown.journal;
  if (!found) return fold("journal", t("journal"), "", explain(shown.journal_error || t("journal.none")));
  const replies = found.replies.map((reply, at) => h("li", {},
    h("div", { class: "head" }, h("b", {}, t("replyN", { n: at + 1 })), statePill(reply.state), h("span", {}, reply.attempts === 1 ? t("attempts1") : t("attempts", { n: reply.attempts }))),
    reply.reason ? h("div", {}, reply.reason) : null,
    h("code", {}, reply.id, receiptsOf(reply))));
  return fold("journal", t("journal"), found.states.map((one) => one.state).join(" → "), found.reason ? explain(found.reason) : null, replies.length ? h("ul", { class: "replies" }, replies) : explain(t("journal.none")));
}

function calls(name) {
  const rows = shown.calls.map((call) => {
    const status = call.status || t("noAnswer");
    const refused = refusal(call);
    const tone = call.status >= 200 && call.status < 300 && !refused ? "good" : "bad";
    const fault = call.fault && h("span", { class: "pill warn" }, t("fault", { kind: call.fault }));
    const code = refused ? ` · ${refused}` : "";
    return h("details", { class: "call" },
      h("summary", {}, h("span", { class: "path" }, `${call.method} ${call.path}`), fault, h("span", { class: "ms" }, `${call.ms.toFixed(1)} ms`), h("span", { class: `pill ${tone}` }, `${status}${code}`)),
      h("div", { class: "inside" }, h("h4", {}, t("request")), json(call.body ?? ""), h("h4", {}, t("response")), json(call.response ?? "")));
  });
  const within = shown.journal?.replies.some((reply) => reply.receipts.includes("passive"));
  return fold("calls", t("calls"), String(shown.calls.length), explain(t("calls.why", { platform: name })), rows.length ? rows : explain(t(within ? "calls.within" : "calls.none")));
}

function again() {
  const results = h("ul", { class: "results", role: "status" }, shown.delivery.redeliveries.map((one) => h("li", {},
    h("span", { class: `pill ${one.status === 200 ? (one.forged ? "bad" : "good") : one.forged ? "good" : "bad"}` }, String(one.status || t("noAnswer"))),
    one.forged ? t(`forge.${one.forged}`) : t("times.again"), h("span", { class: "id" }, one.error || one.body))));
  const button = (text, what) => h("button", { type: "button", class: "outline", on: { click: (event) => redeliver(event.currentTarget, what) } }, text);
  return fold("again", t("again"), "", explain(t("again.why")),
    h("div", { class: "again" }, button(t("again.1"), { times: 1 }), button(t("again.3"), { times: 3 }), ["signature", "stale", "plain", "truncated"].map((how) => button(t(`forge.${how}`), { forge: how }))),
    results);
}

async function redeliver(button, what) {
  button.disabled = true;
  try {
    await api.deliver({ message_id: shown.message_id, ...what });
  } catch (error) {
    toast(t("unknownError", { why: error.message }), true);
  }
  button.disabled = false;
  soon(0);
}
