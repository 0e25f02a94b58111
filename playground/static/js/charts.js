// The charts: are people getting answers, on which platform, how fast, what is stuck. Read only while they are shown.

import * as api from "/static/js/api.js";
import { sheet } from "/static/js/dialogs.js";
import { fill, h } from "/static/js/dom.js";
import { clock, label, t } from "/static/js/i18n.js";
import { state } from "/static/js/state.js";

const EVERY_MS = 3000;
const QUESTIONS = ["answers", "platform", "fast", "stuck"];
const LIMITS = { message: 500 };
// A row of two has wider figures. The size of the letters stays.
const WIDTHS = { 2: 530, 3: 340, 4: 260 }, HEIGHT = 120, LEFT = 44, BOTTOM = 18, TOP = 8, RIGHT = 8;
const COLOURS = 8;
const OUTCOMES = ["sent", "failed", "unknown", "deferred"];
const TIMES = ["message_50", "message_99", "bot_50", "bot_99"];

export function chartsDialog() {
  const problem = h("p", { class: "about", role: "status" });
  const body = h("div", { class: "charts" });
  const dialog = sheet(t("charts"), h("p", {}, t("charts.why")), problem, body);
  dialog.classList.add("wide");
  let timer = 0;
  const read = async () => {
    try {
      draw(body, await api.charts());
      problem.textContent = "";
    } catch (error) {
      problem.textContent = t("unknownError", { why: error.message });
    }
    if (dialog.open) timer = setTimeout(read, EVERY_MS);
  };
  dialog.addEventListener("close", () => clearTimeout(timer));
  read();
}

function draw(body, found) {
  fill(body, QUESTIONS.map((question) => h("section", { class: question },
    h("h3", {}, t(`charts.${question}`)),
    question === "platform" ? outcomes(found.platforms) : null,
    figures(found.charts.filter((one) => one.question === question), found))));
}

const figures = (charts, found) => h("div", { class: "figures" }, charts.map((one) => chart(one, found, WIDTHS[charts.length])));

const nameOf = (platform) => {
  const known = state.platforms.find((one) => one.name === platform);
  return known ? label(known) : platform;
};

// A platform has its colour in every chart. The dashes differ as well, for those who do not see the colours.
function look({ label: kind, platform }, index) {
  const known = state.platforms.findIndex((one) => one.name === platform);
  const place = known < 0 ? index : known;
  return `c${place % COLOURS} ${kind === "callback" ? "thin" : `d${place % 4}`}`;
}

function lineName({ label: kind, platform }) {
  const what = kind ? t(`charts.label.${kind}`) : "";
  return [what, platform ? nameOf(platform) : ""].filter(Boolean).join(" · ");
}

const number = (value, unit) => {
  if (value === null || value === undefined) return "–";
  const rounded = value >= 10 ? Math.round(value) : Math.round(value * 10) / 10;
  return unit === "count" ? String(rounded) : `${rounded} ${unit}`;
};

// One number for a line: the total of what was counted, else the newest value. The depth of a queue is no count.
function summary(chart, { points }) {
  if (chart.unit === "count" && !["depth", "dead"].includes(chart.name)) return number(points.reduce((sum, one) => sum + (one || 0), 0), "count");
  return number(points.filter((one) => one !== null).at(-1), chart.unit);
}

function outcomes(rows) {
  if (!rows.length) return h("p", { class: "none" }, t("charts.none"));
  const head = [...OUTCOMES, ...TIMES];
  return h("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": t("charts.table") }, h("table", {},
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("platforms")), head.map((name) => h("th", { scope: "col" }, t(`charts.label.${name}`))))),
    h("tbody", {}, rows.map((row) => h("tr", { data: { platform: row.platform } },
      h("th", { scope: "row" }, nameOf(row.platform)),
      head.map((name) => h("td", { class: name !== "sent" && OUTCOMES.includes(name) && row[name] ? "some" : "" }, number(row[name], TIMES.includes(name) ? "ms" : "count"))))))));
}

function chart(one, { since, step }, width) {
  const title = t(`charts.${one.name}`);
  const texts = one.lines.map((line) => `${lineName(line)} ${summary(one, line)}`);
  const legend = h("ul", {}, one.lines.map((line, index) => h("li", {}, h("i", { class: `key ${look(line, index)}`, "aria-hidden": "true" }), h("span", {}, lineName(line)), h("b", {}, summary(one, line)))));
  return h("figure", { data: { chart: one.name } }, h("figcaption", {}, title), picture(one, since, step, width, `${title}: ${texts.join(", ") || t("charts.none")}`), one.lines.length ? legend : h("p", { class: "none" }, t("charts.none")));
}

// The top of the scale: 1, 2 or 5 times a power of ten.
function top(highest) {
  const power = 10 ** Math.floor(Math.log10(Math.max(highest, 1)));
  return [1, 2, 5, 10].map((factor) => factor * power).find((value) => value >= highest);
}

function svg(tag, attributes, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children.flat(Infinity));
  return element;
}

function picture(one, since, step, width, text) {
  const count = one.lines[0]?.points.length || 60;
  const high = top(Math.max(one.unit === "count" ? 2 : 10, ...one.lines.flatMap((line) => line.points.map((point) => point ?? 0))));
  const x = (index) => LEFT + (index * (width - LEFT - RIGHT)) / Math.max(1, count - 1);
  const y = (value) => HEIGHT - BOTTOM - (value * (HEIGHT - TOP - BOTTOM)) / high;
  const across = (value, kind) => svg("line", { class: kind, x1: LEFT, x2: width - RIGHT, y1: y(value), y2: y(value) });
  const scale = [0, high / 2, high].map((value) => [across(value, "grid"), svg("text", { x: LEFT - 6, y: y(value) + 3.5, "text-anchor": "end" }, number(value, "count"))]);
  const times = [[0, "start"], [count - 1, "end"]].map(([index, anchor]) => svg("text", { x: x(index), y: HEIGHT - 4, "text-anchor": anchor }, clock(since + index * step)));
  const limit = LIMITS[one.name] <= high ? [across(LIMITS[one.name], "limit")] : [];
  return svg("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, role: "img", "aria-label": text }, scale, times, limit, one.lines.map((line, index) => drawn(line.points, look(line, index), x, y)));
}

// A line through the points that have a value; a dot for one without neighbours.
function drawn(points, kind, x, y) {
  let path = "";
  const dots = [];
  points.forEach((point, index) => {
    if (point === null) return;
    const alone = (points[index - 1] ?? null) === null && (points[index + 1] ?? null) === null;
    if (alone) dots.push(svg("circle", { class: kind, cx: x(index), cy: y(point), r: 2.5 }));
    path += `${(points[index - 1] ?? null) === null ? "M" : "L"}${x(index).toFixed(1)} ${y(point).toFixed(1)}`;
  });
  return [svg("path", { class: kind, d: path }), ...dots];
}
