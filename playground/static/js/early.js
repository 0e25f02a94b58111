// Before anything is painted: the theme and the language that were chosen last, or those of the system.
(() => {
  const kept = (name) => {
    try {
      return localStorage.getItem(name);
    } catch {
      return null;
    }
  };
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const chinese = (navigator.language || "").toLowerCase().startsWith("zh");
  document.documentElement.dataset.theme = kept("parley.theme") || (dark ? "dark" : "light");
  document.documentElement.lang = kept("parley.language") || (chinese ? "zh" : "en");
})();
