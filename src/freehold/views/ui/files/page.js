// Keeps the page fresh while it is looked at, and lets commands be copied. Without it the page reloads by itself, and all else is the same.
"use strict";

const EVERY = 10000; // milliseconds between two questions; the server answers "unchanged" to most

function addCopyButtons() {
  const main = document.getElementById("main");
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

const shown = new Map(); // what the server last said of each part

function take(page, selector) {
  const here = document.querySelector(selector), there = page.querySelector(selector);
  if (!here || !there || shown.get(selector) === there.innerHTML) return false;
  shown.set(selector, there.innerHTML);
  here.replaceWith(document.adoptNode(there));
  return true;
}

async function renew() {
  if (document.hidden) return;
  let page;
  try {
    const answer = await fetch(location.pathname, { credentials: "same-origin" });
    page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (!answer.ok) { location.reload(); return; }
  } catch {
    document.body.classList.add("away"); // the server is gone: what is shown is old
    return;
  }
  document.body.classList.remove("away");
  document.title = page.title;
  take(page, ".fresh");
  const focused = document.activeElement;
  if (focused && focused.tagName === "BUTTON") return; // somebody is at it with the keyboard
  if (take(page, "main")) addCopyButtons();
}

for (const selector of ["main", ".fresh"]) shown.set(selector, document.querySelector(selector).innerHTML);
addCopyButtons();
setInterval(renew, EVERY);
document.addEventListener("visibilitychange", renew);
