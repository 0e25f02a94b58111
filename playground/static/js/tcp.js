// A client of the TCP connector. The playground's server holds the connection, because a browser has no TCP. The page
// does what a device does: it sends a message again until it is accepted, acknowledges replies, and reads on after a break.

import { h } from "/static/js/dom.js";
import { t } from "/static/js/i18n.js";

const ANSWERED = new Set(["message", "reply"]);
const PAUSE_MS = 1000;
const PING_MS = 30_000;

const device = remembered("device", () => `device-${crypto.randomUUID().slice(0, 8)}`);
const waiting = new Map(); // messages that are not accepted yet, by their keys
let cursor = null; // the number of the last reply that was shown
let socket = null, isReady = false;

const state = h("span", { class: "state", role: "status" });
const frames = h("ol", { class: "frames", role: "log", tabIndex: 0, "aria-label": t("tcpFrames") });
const box = h("input", { id: "text", autocomplete: "off", placeholder: t("tcpText"), "aria-label": t("tcpText") });

document.title = `Parley · ${t("tcpTitle")}`;
document.getElementById("device").append(
  h("header", {}, h("h1", {}, t("tcpTitle")), state, h("p", {}, t("tcpAbout", { device }))),
  frames,
  h(
    "form",
    { on: { submit: say } },
    box,
    h("button", { type: "submit" }, t("send")),
    h("button", { type: "button", id: "ping", on: { click: () => push({ type: "ping" }) } }, "ping"),
    h("button", { type: "button", id: "break", on: { click: () => socket.close() } }, t("tcpBreak")),
  ),
);
box.focus();
connect();
setInterval(() => isReady && push({ type: "ping" }), PING_MS);

// The value that this browser tab has stored, or a new one.
function remembered(name, make) {
  try {
    const known = sessionStorage.getItem(`parley.tcp.${name}`) || make();
    sessionStorage.setItem(`parley.tcp.${name}`, known);
    return known;
  } catch {
    return make();
  }
}

function connect() {
  show(false);
  const address = new URL(`/tcp/frames?device=${device}`, location.href);
  address.protocol = "ws:";
  socket = new WebSocket(address);
  socket.addEventListener("message", ({ data }) => receive(JSON.parse(data)));
  socket.addEventListener("close", () => {
    if (isReady) frames.append(h("li", {}, h("span", { class: "frame" }, t("tcpEnded"))));
    show(false);
    setTimeout(connect, PAUSE_MS);
  });
}

function show(ready) {
  isReady = ready;
  state.className = ready ? "state ready" : "state";
  state.textContent = t(ready ? "tcpReady" : "tcpConnecting");
}

function push(frame) {
  if (socket.readyState !== WebSocket.OPEN) return;
  socket.send(JSON.stringify(frame));
  add(frame, true);
}

function say(event) {
  event.preventDefault();
  const text = box.value.trim();
  if (!text) return;
  box.value = "";
  const frame = { type: "message", key: crypto.randomUUID(), text };
  waiting.set(frame.key, frame);
  // Without the answer to `open`, a first reply could come before it.
  if (isReady) push(frame);
}

function receive(frame) {
  const number = Number(frame.cursor);
  if (frame.type === "no connector") return (state.textContent = t("tcpMissing"));
  if (frame.type === "reply" && number <= cursor) return;
  add(frame, frame.type === "hello");
  if (frame.type === "ready") push({ type: "open", ...(cursor === null ? {} : { after: String(cursor) }) });
  if (frame.type === "opened") {
    cursor = number;
    show(true);
    for (const message of waiting.values()) push(message);
  }
  if (frame.type === "accepted") waiting.delete(frame.key);
  if (frame.type === "error" && frame.key && frame.status < 429) waiting.delete(frame.key);
  if (frame.type === "reply") {
    cursor = number;
    push({ type: "ack", cursor: frame.cursor });
  }
}

// Show a frame: the text of messages and replies in a bubble, and of each frame its JSON.
function add(frame, own) {
  const { type, ...fields } = frame;
  const text = ANSWERED.has(type) ? frame.text ?? frame.reply?.text ?? t("tcpLarge") : null;
  const reply = fields.reply ? { ...fields, reply: { id: fields.reply.id, op: fields.reply.op } } : fields;
  const shown = `${own ? "→" : "←"} ${type} ${JSON.stringify(reply)}`;
  const kind = [own && "own", type === "error" && "bad"].filter(Boolean).join(" ");
  frames.append(h("li", { class: kind }, text !== null && h("div", { class: "text" }, text), h("code", { class: "frame" }, shown)));
  frames.scrollTop = frames.scrollHeight;
}
