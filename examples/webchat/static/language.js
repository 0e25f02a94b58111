// The language of the demo page: `?lang=`, or that of the browser.

const wanted = new URLSearchParams(location.search).get("lang") || navigator.language;
document.documentElement.lang = /^zh\b/i.test(wanted) ? "zh-CN" : "en";
addEventListener("DOMContentLoaded", () => {
  if (document.documentElement.lang === "en") return;
  for (const element of document.querySelectorAll("[data-zh]")) element.textContent = element.getAttribute("data-zh");
  document.title = document.querySelector("h1")?.textContent ?? "";
});
