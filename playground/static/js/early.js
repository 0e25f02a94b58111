// Sets the theme and the language before the first paint: the last choice, or those of the system.
(() => {
  const stored = (name) => {
    try {
      return localStorage.getItem(name);
    } catch {
      return null;
    }
  };
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const chinese = (navigator.language || "").toLowerCase().startsWith("zh");
  document.documentElement.dataset.theme = stored("parley.theme") || (dark ? "dark" : "light");
  document.documentElement.lang = stored("parley.language") || (chinese ? "zh" : "en");
})();
