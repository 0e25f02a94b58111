// The dialogs for faults and keys.

import * as api from "/static/js/api.js";
import { h, icon, toast } from "/static/js/dom.js";
import { label, t } from "/static/js/i18n.js";
import { changed, platform } from "/static/js/state.js";

const KINDS = ["http_500", "timeout", "limited", "forbidden", "token_expired", "drop_response"];

export function sheet(title, ...content) {
  const dialog = h("dialog", { "aria-label": title });
  const close = h("button", { type: "button", class: "quiet", "aria-label": t("close"), title: t("close"), on: { click: () => dialog.close() } }, icon("close"));
  dialog.append(h("div", { class: "sheet" }, h("div", { class: "head" }, h("h2", {}, title), close), content));
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

export function faultsDialog() {
  const here = platform();
  if (!here) return;
  const kind = h("select", { class: "field" }, KINDS.map((name) => h("option", { value: name }, t(`fault.${name}`))));
  const value = h("input", { class: "field narrow", type: "number", min: "1", max: "100", value: "1" });
  const unit = h("select", { class: "field" }, h("option", { value: "times" }, t("times_")), h("option", { value: "rate" }, t("percent")));
  const list = h("ul");
  const add = h("button", { type: "submit", class: "solid" }, t("add"));
  const form = h("form", { class: "form" }, h("label", {}, t("kind"), kind), h("label", {}, t("value"), value), h("label", {}, t("how"), unit), add);
  const show = (faults) => {
    here.faults = faults;
    changed("faults");
    const rows = faults.map((one) => h("li", {}, h("span", {}, t(`fault.${one.kind}`)), h("span", {}, `${one.times ? `${one.times}×` : `${Math.round(one.rate * 100)} ${t("percent")}`} · ${t("hits", { n: one.hits })}`)));
    const clear = h("li", {}, h("span"), h("button", { type: "button", class: "outline", on: { click: () => apply(api.clearFaults(here.name)) } }, t("clear")));
    list.replaceChildren(...(rows.length ? [...rows, clear] : [h("li", {}, t("faults.none"))]));
  };
  const ofPlatform = (response) => response.faults.filter((one) => one.platform === here.name);
  const apply = (promise) => promise.then((response) => show(ofPlatform(response))).catch((error) => toast(t("unknownError", { why: error.message }), true));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const number = Number(value.value);
    const often = unit.value === "times" ? { times: number } : { rate: number / 100, seed: Date.now() % 100_000 };
    apply(api.addFault({ platform: here.name, kind: kind.value, ...often }));
  });
  sheet(t("faults.title", { platform: label(here) }), h("p", {}, t("faults.why")), form, list);
  show(here.faults);
  api.rooms().then((all) => show(all.platforms.find((one) => one.name === here.name).faults)).catch(() => {});
}

export function keysDialog() {
  const keys = [["Enter", "send"], ["Shift+Enter", "line"], ["Tab", "complete"], ["↑ ↓ Home End", "move"], ["Enter", "open"], ["Esc", "close"], ["/", "write"]];
  sheet(t("keys.title"), h("dl", {}, keys.map(([key, what]) => [h("dt", {}, h("kbd", {}, key)), h("dd", {}, t(`keys.${what}`))])));
}
