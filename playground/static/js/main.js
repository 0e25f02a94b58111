// Builds the page and keeps it up to date.

import * as api from "/static/js/api.js";
import { chartsDialog } from "/static/js/charts.js";
import { openModal } from "/static/js/commands.js";
import { composer, focus } from "/static/js/composer.js";
import { conversation } from "/static/js/conversation.js";
import { faultsDialog, keysDialog } from "/static/js/dialogs.js";
import { fill, h, icon, toast } from "/static/js/dom.js";
import { language, setLanguage, t } from "/static/js/i18n.js";
import { sidebar } from "/static/js/sidebar.js";
import { changed, on, platform, recallPlace, remember, roomsOfPerson, state } from "/static/js/state.js";
import { logsPane } from "/static/js/logs.js";
import { deferredPane, statePane } from "/static/js/memory.js";
import { watchOutcomes } from "/static/js/outcomes.js";
import { panel } from "/static/js/panel.js";
import { tracePane } from "/static/js/trace.js";

const byId = (id) => document.getElementById(id);
let loading = 0;

function drawTop() {
  const status = state.lost ? "lost" : state.stack.state;
  const tone = { ready: "good", starting: "warn" }[status] || "bad";
  const dark = document.documentElement.dataset.theme === "dark";
  const count = platform()?.faults.length || 0;
  const button = (name, text, listener, ...more) =>
    h("button", { type: "button", class: `quiet ${name}`, title: text, "aria-label": text, on: { click: listener } }, icon(name), ...more);
  byId("skip").textContent = t("skip");
  fill(
    byId("top"),
    h("button", { type: "button", class: "quiet burger", title: t("menu"), "aria-label": t("menu"), "aria-expanded": String(byId("side").classList.contains("open")), on: { click: toggleSide } }, icon("menu")),
    h("h1", { class: "brand" }, h("img", { src: "/static/favicon.svg", alt: "" }), "Parley", h("span", {}, t("playground"))),
    h("span", { class: `pill ${tone}`, title: t(`stack.${status}`), id: "stack", role: "status" }, h("i", { class: "dot" }), h("span", { class: "words" }, t(`stack.${status}`))),
    h("span", { class: "space" }),
    button("bolt", t("faults"), faultsDialog, h("span", { class: "label" }, t("faults")), count ? h("span", { class: "count" }, String(count)) : null),
    button("chart", t("charts"), chartsDialog, h("span", { class: "label" }, t("charts"))),
    button("keys", t("keys"), keysDialog),
    button(dark ? "sun" : "moon", t("theme"), toggleTheme),
    h("button", { type: "button", class: "quiet", id: "language", "aria-label": t("languageLabel"), on: { click: toggleLanguage } }, t("language")),
  );
}

function toggleTheme() {
  const root = document.documentElement;
  root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
  try {
    localStorage.setItem("parley.theme", root.dataset.theme);
  } catch {
    // The choice then lasts as long as the page.
  }
  drawTop();
}

function toggleLanguage() {
  setLanguage(language() === "zh" ? "en" : "zh");
  drawTop();
  changed("language");
  byId("language").focus();
}

function toggleSide(open) {
  const side = byId("side");
  side.classList.toggle("open", typeof open === "boolean" ? open : undefined);
  drawTop();
  if (side.classList.contains("open")) side.querySelector(".row[tabindex='0']")?.focus();
}

// Colours and layout of the conversation, as the server gives them for the platform.
function applyAppearance({ name, bubble: [light, dark], bubble_radius: radius, layout }) {
  const { dataset, style } = document.body;
  dataset.platform = name;
  dataset.layout = layout;
  style.setProperty("--bubble-own-light", light);
  style.setProperty("--bubble-own-dark", dark);
  if (radius) style.setProperty("--bubble-radius", radius);
  else style.removeProperty("--bubble-radius");
}

// Go to another platform, app, person or room. What `place` does not name stays, or becomes the first one.
async function go(place) {
  Object.assign(state, place);
  const here = platform() || state.platforms[0];
  if (!here) return;
  state.platform = here.name;
  applyAppearance(here);
  if (!here.apps.some((one) => one.name === state.app)) state.app = here.apps[0]?.name || "";
  if (!here.persons.some((one) => one.id === state.person)) state.person = here.persons[0]?.id || "";
  const rooms = roomsOfPerson();
  // Another person stays in the group, and leaves the direct chat of the previous person.
  if (!rooms.some((one) => one.id === state.room)) state.room = rooms[0]?.id || "";
  state.replyingTo = null;
  state.unread.delete(state.room);
  remember();
  if (Object.keys(place).length) toggleSide(false);
  state.messages = [];
  changed("place");
  await loadMessages();
  if (Object.keys(place).length && matchMedia("(min-width: 801px)").matches && !place.person && !place.platform) focus();
}

async function loadMessages() {
  const request = ++loading;
  if (!state.room) return changed("messages");
  try {
    const { messages } = await api.messages(state.platform, state.room);
    if (request !== loading) return;
    state.messages = messages;
    changed("messages");
  } catch (error) {
    toast(t("unknownError", { why: error.message }), true);
  }
}

async function loadRooms() {
  try {
    const { platforms, stack } = await api.rooms();
    Object.assign(state, { platforms, stack, lost: false });
  } catch {
    state.lost = true;
  }
  drawTop();
  changed("rooms");
  changed("stack");
}

async function refresh() {
  const before = [state.platform, state.app, state.person, state.room].join();
  const saved = state.stack.bot?.at;
  await loadRooms();
  const { bot } = state.stack;
  if (bot?.state === "live" && bot.at !== saved) toast(t("botLive", { seconds: bot.seconds }));
  const known = platform()?.apps.some((one) => one.name === state.app) && roomsOfPerson().some((one) => one.id === state.room);
  if (!known || before === ",,,") await go({});
}

const LISTENERS = {
  async hello() {
    if (!state.lost) return;
    await refresh();
    await loadMessages();
  },
  lost() {
    state.lost = true;
    drawTop();
    changed("stack");
  },
  stack: refresh,
  async reload() {
    await refresh();
    await loadMessages();
  },
  async message(value) {
    if (value.platform !== state.platform) return;
    if (!platform().rooms.some((one) => one.id === value.room)) await refresh();
    if (value.room === state.room) return changed("message", value.message);
    if (value.message.sender.kind !== "user") {
      state.unread.set(value.room, (state.unread.get(value.room) || 0) + 1);
      changed("unread");
    }
  },
  delivery(value) {
    const message = state.messages.find((one) => one.id === value.message_id);
    if (message && !message.note) {
      const attempts = value.state === "retrying" ? message.attempts + 1 : message.attempts;
      changed("message", { ...message, delivery: value.state, attempts });
    }
    changed("delivery", value);
  },
  call(value) {
    changed("call", value);
    const here = platform();
    if (value.call.fault && here) {
      api.rooms().then((all) => { here.faults = all.platforms.find((one) => one.name === here.name).faults; drawTop(); }).catch(() => {});
    }
  },
  modal(value) {
    if (value.platform === state.platform && value.person === state.person) openModal(value.modal);
  },
  toast(value) {
    if (value.room === state.room) toast(value.content || "");
  },
};

async function start() {
  drawTop();
  sidebar(byId("side"), go, refresh);
  conversation(byId("talk"), composer());
  panel(byId("panel"), { trace: tracePane, logs: logsPane, state: statePane, deferred: deferredPane });
  watchOutcomes();
  on("faults", drawTop);
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, textarea, select, dialog");
    if (event.key === "/" && !typing) {
      event.preventDefault();
      focus();
    }
    if (event.key === "Escape" && byId("side").classList.contains("open")) toggleSide(false);
  });
  const [platformName, app, person, room] = recallPlace();
  await loadRooms();
  await go({ platform: platformName || state.platforms[0]?.name, app, person, room });
  focus();
  api.live((kind, value) => LISTENERS[kind]?.(value));
}

start();
