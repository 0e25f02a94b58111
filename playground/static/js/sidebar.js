// The sidebar: platforms, apps, rooms, and the person you write as.

import * as api from "/static/js/api.js";
import { avatar, fill, h, icon, roving, toast } from "/static/js/dom.js";
import { label, language, named, t } from "/static/js/i18n.js";
import { on, platform, roomsOfPerson, state } from "/static/js/state.js";

let side, go, reload, folded = false;

export function sidebar(nav, choose, refresh) {
  side = nav;
  go = choose;
  reload = refresh;
  roving(side, ".row");
  on("rooms place unread language", draw);
}

function draw() {
  const here = platform();
  if (!here) return fill(side);
  const focused = document.activeElement?.dataset?.row;
  side.setAttribute("aria-label", t("menu"));
  fill(
    side,
    section(t("platforms"), state.platforms.map((one) => row(`p-${one.name}`, one.name === state.platform, { platform: one.name }, mark(one), label(one)))),
    here.apps.length > 1 ? apps(here) : null,
    tenants(here),
    section(t("rooms"), roomsOfPerson().map((one) => roomRow(one))),
    section(t("you"), here.persons.map((one) => row(`w-${one.id}`, one.id === state.person, { person: one.id }, avatar(named(one), "user", { id: one.id, small: true }), named(one)))),
    limits(here),
    foot(here),
  );
  if (focused) side.querySelector(`[data-row="${CSS.escape(focused)}"]`)?.focus();
}

const section = (title, rows) =>
  h("section", {}, h("h2", {}, title), h("ul", { class: "list", role: "listbox", "aria-label": title }, rows));

function mark(one) {
  const element = h("span", { class: "brandmark", "aria-hidden": "true" }, label(one)[0]);
  element.style.background = one.color;
  return element;
}

function row(id, selected, place, image, title, subtitle, unread) {
  const small = subtitle && h("small", {}, subtitle);
  const count = unread ? h("span", { class: "unread" }, String(unread)) : null;
  return h("li", { role: "presentation" },
    h("button", { type: "button", class: "row", role: "option", "aria-selected": String(selected), tabindex: selected ? "0" : "-1", data: { row: id }, on: { click: () => go(place) } },
      image, h("span", { class: "title" }, h("span", {}, title), small), count));
}

function roomRow(one) {
  const direct = one.kind === "private";
  const image = direct ? avatar(state.app, "bot", { small: true }) : h("span", { class: "avatar small tint-5", "aria-hidden": "true" }, icon("group"));
  return row(`r-${one.id}`, one.id === state.room, { room: one.id }, image, direct ? state.app : named(one), t(direct ? "direct" : "group"), state.unread.get(one.id));
}

function apps(here) {
  const options = here.apps.map((one) => h("option", { value: one.name, selected: one.name === state.app }, one.name));
  const select = h("select", { class: "field", "aria-label": t("app"), on: { change: () => go({ app: select.value }) } }, options);
  return h("section", {}, h("h2", {}, t("app")), select);
}

// The organisations that have installed the app, and what happens to their installations.
function tenants(here) {
  const found = here.apps.find((one) => one.name === state.app)?.installations;
  if (!found) return null;
  const chosen = found.tenants.find((one) => one.app === state.app);
  const act = (name, kind, more = {}) => h("button", { type: "button", class: "quiet", on: { click: () => emit(found.app, kind, more) } }, t(name));
  const rows = found.tenants.map((one, at) => row(`c-${one.id}`, one === chosen, { app: one.app }, avatar(one.id, "bot", { small: true }), t("tenant", { n: at + 1 }), t(one.is_installed ? "tenant.installed" : "tenant.removed", { n: one.persons.length })));
  const own = chosen?.is_installed
    ? [act("tenant.scope", "scope_changed", { company: chosen.id, persons: chosen.persons.length > 1 ? [state.person] : here.persons.map((one) => one.id) }), act("tenant.remove", "removed", { company: chosen.id })]
    : [chosen && act("tenant.again", "installed", { company: chosen.id })];
  return h("div", {}, section(t("tenants"), rows), h("div", { class: "acts" }, act("tenant.install", "installed"), own, act("tenant.ticket", "ticket"), act("tenant.expire", "code_expired")));
}

async function emit(app, kind, more) {
  try {
    const { state: end } = await api.emitEvent({ platform: state.platform, app, kind, wait: true, ...more });
    if (end && end !== "delivered") toast(t("notVerified", { why: end }), true);
    await reload();
  } catch (error) {
    toast(t("unknownError", { why: error.message }), true);
  }
}

// What the real client of the platform cannot do. It stays folded when the sidebar is drawn again.
function limits(here) {
  if (!here.cannot.length) return null;
  const box = h("details", { class: "cannot", open: !folded }, h("summary", {}, t("cannot", { platform: label(here) })), h("ul", {}, here.cannot.map((one) => h("li", {}, one[language()] || one.en))));
  box.addEventListener("toggle", () => { folded = !box.open; });
  return box;
}

function foot(here) {
  const app = here.apps.find((one) => one.name === state.app);
  if (!app?.callback) return null;
  const verify = h("button", { type: "button", class: "quiet", on: { click: check } }, t("verify"));
  async function check() {
    verify.disabled = true;
    try {
      const response = await api.challenge({ platform: here.name, app: app.name });
      const last = response.attempts.at(-1) || { error: "–" };
      if (response.ok) toast(t("verified", { ms: Math.round(last.ms) }));
      else toast(t("notVerified", { why: last.error || `HTTP ${last.status} ${last.body}` }), true);
    } catch (error) {
      toast(t("unknownError", { why: error.message }), true);
    }
    verify.disabled = false;
  }
  const link = (name) => h("p", {}, h("a", { href: `/${name}`, target: "_blank", rel: "noopener" }, t(name)));
  const chat = here.name === "http" && ["webchat", "tcp"].map(link);
  return h("div", { class: "foot" }, chat, h("div", { class: "line" }, t("callback"), verify), h("code", {}, app.callback));
}
