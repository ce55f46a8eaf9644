// Keeps the page fresh while it is looked at, says when it is not, and lets commands be copied. Without it the page reloads by itself.
"use strict";

const EVERY = 10000; // milliseconds between two questions
const PATIENCE = 8000; // milliseconds for an answer; the server takes three at most
const REACHED = "a[href], button, [tabindex]"; // what the keyboard leads to

const find = selector => document.querySelector(selector);
const shown = new Map(); // what the server last said of each part
let answered = Date.now(), away = false, asking = false;

function addCopyButtons() {
  const main = find("main");
  if (!navigator.clipboard) return;
  for (const line of main.querySelectorAll(".command")) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = main.dataset.copy;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(line.querySelector("code").textContent);
      button.textContent = main.dataset.copied;
    });
    line.append(button);
  }
}

// What the keyboard is at, so that it is found again in a page that was renewed: its name, and which of those that are called so.
const nameOf = each => each.getAttribute("href") || each.ariaLabel || each.previousElementSibling?.textContent;
const calledSo = name => [...find("main").querySelectorAll(REACHED)].filter(each => nameOf(each) === name);

function place() {
  const focused = document.activeElement;
  if (!find("main").contains(focused)) return null;
  return { name: nameOf(focused), number: calledSo(nameOf(focused)).indexOf(focused) };
}

function returnTo(place) {
  const same = calledSo(place.name), main = find("main");
  main.tabIndex = -1; // where what had it is gone
  (same[place.number] || same[0] || main).focus({ preventScroll: true });
}

function take(page, selector) {
  const here = find(selector), there = page.querySelector(selector);
  if (shown.get(selector) === there.innerHTML) return false;
  shown.set(selector, there.innerHTML);
  here.replaceWith(document.adoptNode(there));
  return true;
}

function announce(text) {
  const line = find("#said"); // read aloud when it changes
  if (line.textContent !== text) line.textContent = text;
}

function show(page) {
  document.title = page.title;
  take(page, ".fresh");
  const before = place();
  if (take(page, "main")) {
    addCopyButtons();
    if (before) returnTo(before);
    announce(find("#verdict").textContent.trim());
  }
}

function inWords(age, texts) {
  const [text, unit] = age < 60 ? [texts.seconds, 1] : age < 3600 ? [texts.minutes, 60] : [texts.hours, 3600];
  return text.replace("{number}", Math.floor(age / unit));
}

// Nobody should take what is old for what is: neither who looks at the page nor who sees its title among others.
function disown(title, ago, texts) {
  const verdict = find(".verdict"), mark = verdict.querySelector("h1 svg");
  verdict.className = "verdict unknown old";
  mark.firstElementChild.setAttribute("href", "#unknown");
  mark.ariaLabel = texts.mark;
  if (find("#verdict").lastChild.textContent.trim() !== title) find("#verdict").lastChild.textContent = ` ${title}`;
  for (const each of verdict.querySelectorAll("p")) each.remove();
  const since = document.createElement("p");
  since.textContent = texts.from.replace("{ago}", ago);
  verdict.append(since);
  document.title = texts.title.replace("{verdict}", title);
  shown.delete("main"); // the next answer takes its place, whatever it says
  announce(title);
}

function tick() {
  const line = find("#ago"), texts = line.dataset;
  const age = Math.max(0, Number(texts.age) + (Date.now() - answered) / 1000);
  line.textContent = inWords(age, texts);
  document.body.classList.toggle("away", away);
  const owned = !find(".verdict").classList.contains("old");
  if (away || (owned && age > Number(texts.goodFor))) disown(away ? texts.away : texts.old, line.textContent, texts);
}

async function answer() {
  try {
    const given = await fetch(location.pathname, { credentials: "same-origin", signal: AbortSignal.timeout(PATIENCE) });
    const page = new DOMParser().parseFromString(await given.text(), "text/html");
    if (!given.ok) location.reload(); // the page that says why
    return given.ok && page.querySelector("#ago") ? page : null;
  } catch {
    return null; // the server is gone, or the way to it
  }
}

async function renew() {
  if (document.hidden || asking) return;
  asking = true;
  const page = await answer();
  asking = false;
  away = page === null;
  if (page) {
    answered = Date.now();
    show(page);
  }
  tick();
}

for (const selector of ["main", ".fresh"]) shown.set(selector, find(selector).innerHTML);
addCopyButtons();
setInterval(tick, 1000);
setInterval(renew, EVERY);
document.addEventListener("visibilitychange", renew);
addEventListener("pageshow", event => { if (event.persisted) renew(); });
