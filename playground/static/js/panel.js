// The panel on the right, with one tab for each pane: the trace of a message, the logs, the state of the conversation, its
// deferred replies.

import { h, icon } from "/static/js/dom.js";
import { t } from "/static/js/i18n.js";
import { changed, on, state } from "/static/js/state.js";

let aside, header, boxes, focusedBefore = null;

// `panes`: by name, a function that is called with the pane's element and makes it keep itself up to date.
export function panel(element, panes) {
  aside = element;
  header = h("header");
  boxes = Object.fromEntries(Object.keys(panes).map((name) => [name, h("section", { class: `pane ${name}`, id: name, role: "tabpanel", tabindex: "0", "aria-labelledby": `tab-${name}`, hidden: true })]));
  aside.append(header, ...Object.values(boxes));
  for (const [name, make] of Object.entries(panes)) make(boxes[name]);
  on("language", drawHeader);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && state.pane && !document.querySelector("dialog[open]")) hidePane();
  });
  drawHeader();
}

export function showPane(name) {
  if (!state.pane) focusedBefore = document.activeElement;
  state.pane = name;
  draw();
  boxes[name].focus();
  changed("pane");
}

export function hidePane(restoreFocus = true) {
  state.pane = "";
  draw();
  changed("pane");
  if (restoreFocus) present(focusedBefore)?.focus();
}

// `element`, or the one that has been drawn in its place since.
function present(element) {
  const label = element?.getAttribute("aria-label");
  return element?.isConnected || !label ? element : document.querySelector(`[aria-label="${CSS.escape(label)}"]`);
}

function draw() {
  aside.hidden = !state.pane;
  document.getElementById("frame").classList.toggle("with-panel", Boolean(state.pane));
  for (const [name, box] of Object.entries(boxes)) box.hidden = name !== state.pane;
  drawHeader();
}

function drawHeader() {
  aside.setAttribute("aria-label", t("panel"));
  const tab = (name) => h("button", { type: "button", role: "tab", id: `tab-${name}`, "aria-controls": name, "aria-selected": String(name === state.pane), tabindex: name === state.pane ? "0" : "-1", on: { click: () => choose(name), keydown: move } }, t(`pane.${name}`));
  header.replaceChildren(
    h("div", { class: "tabs", role: "tablist", "aria-label": t("panel") }, Object.keys(boxes).map(tab)),
    h("button", { type: "button", class: "quiet close", "aria-label": t("close"), title: t("close"), on: { click: () => hidePane() } }, icon("close")));
}

function choose(name) {
  showPane(name);
  document.getElementById(`tab-${name}`).focus();
}

function move(event) {
  const names = Object.keys(boxes);
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  choose(names[(names.indexOf(state.pane) + step + names.length) % names.length]);
}
