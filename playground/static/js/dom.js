// Elements without a framework. Text is always set as text, so that no message can become markup.

export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "on") {
      for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    } else if (name === "class") {
      element.className = value;
    } else if (name === "data") {
      Object.assign(element.dataset, value);
    } else if (name in element && typeof value !== "string") {
      element[name] = value;
    } else {
      element.setAttribute(name, value === true ? "" : value);
    }
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

// Replace the children of `element`. Null, undefined and false are omitted. A control that has the focus hands it to
// the one in its place: an update must not take the focus from a person who uses the keyboard.
export function fill(element, ...children) {
  const controls = () => [...element.querySelectorAll("a, button, input, select, textarea, [tabindex]")];
  const place = controls().indexOf(document.activeElement);
  element.replaceChildren(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  if (place >= 0) controls().at(Math.min(place, controls().length - 1))?.focus({ preventScroll: true });
}

const PATHS = {
  send: "M4 12 20 4l-5 16-3.5-6.5zM11.5 13.5 20 4",
  image: "M4 6.5A1.5 1.5 0 0 1 5.5 5h13A1.5 1.5 0 0 1 20 6.5v11a1.5 1.5 0 0 1-1.5 1.5h-13A1.5 1.5 0 0 1 4 17.5zM4 16l4.5-4.5L13 16l2.5-2.5L20 17M15 9h.01",
  reply: "M10 7 5 12l5 5M5 12h8a6 6 0 0 1 6 6",
  thread: "M5 6h14M5 11h9M9 16h10M5 16h.01",
  trace: "M6 18a2 2 0 1 0 0-.01M18 6a2 2 0 1 0 0-.01M8 18h6a3.5 3.5 0 0 0 0-7h-4a3.5 3.5 0 0 1 0-7h6",
  recall: "M5 8h9a5 5 0 0 1 0 10H9M5 8l4-4M5 8l4 4",
  smile: "M12 20a8 8 0 1 0 0-16 8 8 0 0 0 0 16M9 10h.01M15 10h.01M8.5 14a4.5 4.5 0 0 0 7 0",
  close: "M6 6l12 12M18 6 6 18",
  menu: "M4 7h16M4 12h16M4 17h16",
  sun: "M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8M12 3v2M12 19v2M3 12h2M19 12h2M5.6 5.6l1.4 1.4M17 17l1.4 1.4M18.4 5.6 17 7M7 17l-1.4 1.4",
  moon: "M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5",
  bolt: "M13 3 5 14h6l-1 7 8-11h-6z",
  bot: "M7 9.5A1.5 1.5 0 0 1 8.5 8h7A1.5 1.5 0 0 1 17 9.5v6a1.5 1.5 0 0 1-1.5 1.5h-7A1.5 1.5 0 0 1 7 15.5zM12 8V5M10 12h.01M14 12h.01M4.5 12v2M19.5 12v2",
  group: "M9 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6M3.5 19a5.5 5.5 0 0 1 11 0M16 11a2.5 2.5 0 1 0-1-4.8M17 14a5 5 0 0 1 3.5 5",
  file: "M7 3.5h6.5L18 8v12.5H7zM13.5 3.5V8H18",
  hook: "M12 4v9a4 4 0 1 1-4-4M12 4 9 7M12 4l3 3",
  keys: "M4 7.5h16v9H4zM7 10.5h.01M10 10.5h.01M13 10.5h.01M16.5 10.5h.01M8 13.5h8",
  alert: "M12 20a8 8 0 1 0 0-16 8 8 0 0 0 0 16M12 8v5M12 16h.01",
  clear: "M5 7h14M9 7V5h6v2M7 7l1 12h8l1-12",
  chart: "M4 4v16h16M7.500 15l3.500-4.500 3 2.500L19 7",
  logs: "M5 6h14M5 10h14M5 14h9M5 18h6",
  state: "M12 9c4 0 7-1.1 7-2.5S16 4 12 4 5 5.1 5 6.500 8 9 12 9M5 6.500v11C5 18.900 8 20 12 20s7-1.100 7-2.500v-11M5 12c0 1.400 3 2.500 7 2.500s7-1.100 7-2.500",
  check: "M5 12.5l4.5 4.5L19 7.5",
  clock: "M12 20a8 8 0 1 0 0-16 8 8 0 0 0 0 16M12 8v4l2.5 2",
};

export function icon(name) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(space, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}

// Arrow keys move the focus within `container`. Only one of its items is in the tab order.
export function roving(container, selector) {
  const items = () => [...container.querySelectorAll(selector)];
  const focus = (item) => {
    for (const other of items()) other.tabIndex = other === item ? 0 : -1;
    item.focus();
  };
  container.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1, Home: -Infinity, End: Infinity }[event.key];
    const all = items();
    const at = all.indexOf(event.target);
    if (step === undefined || at < 0) return;
    event.preventDefault();
    focus(all[Math.max(0, Math.min(all.length - 1, at + step))]);
  });
}

export function avatar(name, kind, { id = name, small = false } = {}) {
  const size = small ? " small" : "";
  if (kind !== "user") return h("span", { class: `avatar bot${size}`, "aria-hidden": "true" }, icon(kind === "webhook" ? "hook" : "bot"));
  const tint = [...id].reduce((sum, letter) => sum + letter.codePointAt(0), 0) % 6;
  const letter = /[\u3400-\u9fff]/.test(name) ? [...name].at(-1) : [...name][0];
  return h("span", { class: `avatar tint-${tint}${size}`, "aria-hidden": "true" }, (letter || "?").toUpperCase());
}

// The content of a file in Base64.
export const readFile = (file) => new Promise((resolve) => {
  const reader = new FileReader();
  reader.addEventListener("load", () => resolve(reader.result.split(",", 2)[1]));
  reader.readAsDataURL(file);
});

export function toast(text, bad = false) {
  const element = h("div", { class: bad ? "toast bad" : "toast" }, text);
  document.getElementById("toasts").append(element);
  setTimeout(() => element.remove(), bad ? 7000 : 4000);
}
