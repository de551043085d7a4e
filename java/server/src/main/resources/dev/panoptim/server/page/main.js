// Tabs, theme, and the live figures for both tabs.

import { listen } from "./api.js";
import { Digits } from "./digits.js";
import { Recommender } from "./recommender.js";

const digits = new Digits();
const recommender = new Recommender();

const tabs = [...document.querySelectorAll("[role=tab]")];

function choose(tab) {
  for (const each of tabs) {
    const chosen = each === tab;
    each.setAttribute("aria-selected", chosen);
    each.tabIndex = chosen ? 0 : -1;
    document.getElementById(each.getAttribute("aria-controls")).hidden = !chosen;
  }
}

tabs.forEach((tab, i) => {
  tab.addEventListener("click", () => choose(tab));
  tab.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step) {
      const next = tabs[(i + step + tabs.length) % tabs.length];
      next.focus();
      choose(next);
    }
  });
});

const dark = window.matchMedia("(prefers-color-scheme: dark)");
const themeButton = document.getElementById("theme");

function showTheme() {
  const theme = localStorage.getItem("theme") ?? (dark.matches ? "dark" : "light");
  document.documentElement.dataset.theme = theme;
  themeButton.textContent = theme === "dark" ? "Light" : "Dark";
  themeButton.setAttribute("aria-label", theme === "dark" ? "Use light colors" : "Use dark colors");
  digits.redraw();
  recommender.redraw();
}

themeButton.addEventListener("click", () => {
  localStorage.setItem("theme", document.documentElement.dataset.theme === "dark" ? "light" : "dark");
  showTheme();
});
dark.addEventListener("change", showTheme);
showTheme();

const connection = document.getElementById("connection");

function showConnection(text, isGood) {
  if (connection.textContent !== text) {
    connection.textContent = text;
    connection.className = isGood ? "pill good" : "pill bad";
  }
}

listen(
    (figures) => {
      showConnection(figures.learning ? "connected" : "the learner has ended", figures.learning);
      digits.update(figures);
      recommender.update(figures.choices);
    },
    () => showConnection("no connection", false));
