// The language of the page, and its texts.

import en from "/static/js/locales/en.js";
import zh from "/static/js/locales/zh.js";

const TEXTS = { en, zh };

export const language = () => (document.documentElement.lang === "zh" ? "zh" : "en");

export function setLanguage(name) {
  document.documentElement.lang = name;
  try {
    localStorage.setItem("parley.language", name);
  } catch {
    // A private window may store nothing. The choice then lasts until the page is closed.
  }
}

const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");

// The text `key` with its placeholders filled in; a list for a key with several texts.
export function t(key, values = {}) {
  const text = TEXTS[language()][key] ?? en[key] ?? key;
  return Array.isArray(text) ? text.map((item) => fill(item, values)) : fill(text, values);
}

// A time of day, with seconds if `exact`.
export const clock = (at, exact = false) =>
  new Date(at * 1000).toLocaleTimeString(language(), { hour: "2-digit", minute: "2-digit", second: exact ? "2-digit" : undefined, hourCycle: "h23" });

// The names of a person, room or platform in the language of the page.
export const named = (thing) => (language() === "zh" ? thing.name_zh : thing.name) || thing.name;
export const label = (platform) => platform.label[language()] || platform.label.en;
