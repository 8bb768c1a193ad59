"use strict";
// Starts the page: the theme, the overview, and the repository that the address names after #/.

const summary = JSON.parse(document.getElementById("summary").textContent);
const overview = new Overview(summary);
let opened = null; // the RepositoryPage on display
let route = 0; // counts the visits, so that a slow visit does not replace a later one

const THEMES = ["auto", "light", "dark"];
const systemIsDark = matchMedia("(prefers-color-scheme: dark)");

/** Show the page in a theme. Paper is always light. */
function applyTheme(theme, paper = false) {
  const dark = !paper && (theme === "dark" || (theme === "auto" && systemIsDark.matches));
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  document.getElementById("theme").textContent = `Theme: ${theme}`;
  opened?.redraw();
}

function storedTheme(theme) {
  try {
    if (theme) localStorage.setItem("traffic-theme", theme);
    return localStorage.getItem("traffic-theme");
  } catch {
    return null; // some browsers store nothing for a local file
  }
}

function nextTheme() {
  current = THEMES[(THEMES.indexOf(current) + 1) % THEMES.length];
  storedTheme(current);
  applyTheme(current);
}

let current = THEMES.includes(storedTheme()) ? storedTheme() : "auto";

async function show() {
  const visit = ++route;
  const name = nameInAddress();
  const index = name === null ? -1 : summary.repositories.findIndex((row) => row.name === name);
  const page = index < 0 ? null : await unpack(index);
  if (visit !== route) return;
  opened?.destroy();
  const box = document.getElementById("repository");
  document.getElementById("overview").hidden = index >= 0;
  box.hidden = index < 0;
  document.title = index < 0 ? "Repository traffic" : `${name} - repository traffic`;
  opened = index < 0 ? null : new RepositoryPage(box, summary.repositories[index], page);
  if (index < 0) overview.draw();
  scrollTo(0, 0);
}

function nameInAddress() {
  if (!location.hash.startsWith("#/") || location.hash === "#/") return null;
  try {
    return decodeURIComponent(location.hash.slice(2));
  } catch {
    return null; // a wrong address leads to the overview
  }
}

document.getElementById("theme").addEventListener("click", nextTheme);
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault(); // the part after # names the repository
  document.getElementById("main").focus();
});
systemIsDark.addEventListener("change", () => applyTheme(current));
addEventListener("beforeprint", () => applyTheme(current, true));
addEventListener("afterprint", () => applyTheme(current));
addEventListener("hashchange", show);
applyTheme(current);
if (nameInAddress() !== null) show();
