// Light or dark, before anything is painted; the choice is of this tab alone and is stored nowhere.
"use strict";
(() => {
  const root = document.documentElement;
  const system = window.matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme || (system.matches ? "dark" : "light")) === "dark";
  const listeners = [];
  const tell = () => {
    const button = document.getElementById("theme");
    if (button) button.textContent = isDark() ? "Light" : "Dark";
    for (const listener of listeners) listener();
  };
  window.dfsynthTheme = { isDark, onChange: (listener) => listeners.push(listener) };
  system.addEventListener("change", tell);
  document.addEventListener("DOMContentLoaded", () => {
    document.getElementById("theme").addEventListener("click", () => {
      root.dataset.theme = isDark() ? "light" : "dark";
      tell();
    });
    tell();
  });
})();
