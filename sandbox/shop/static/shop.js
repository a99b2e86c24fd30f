// Keeps the parts marked data-live as the server has them; without scripts a reload does the same.
"use strict";

const POLL_MS = 1000;
const SAID_MS = 2000;
const desk = document.querySelector("[data-timeline]");
let last = null;

async function look() {
  if (document.hidden) return;
  const answer = await fetch(desk.dataset.timeline, { cache: "no-store" });
  if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
  const text = await answer.text();
  if (text === last) return;
  const first = last === null;
  last = text;
  const parts = new DOMParser().parseFromString(text, "text/html");
  for (const part of parts.querySelectorAll("[data-live]")) {
    const shown = document.getElementById(part.id);
    // The first answer repeats what the page came with, unless something happened meanwhile.
    if (shown && !(first && shown.isEqualNode(part))) shown.replaceWith(document.adoptNode(part));
  }
}

async function watch() {
  for (;;) {
    try {
      await look();
      desk.classList.remove("away");
    } catch {
      desk.classList.add("away");
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

// Copying needs scripts: without them the button stays away and the number is selected by hand.
for (const button of document.querySelectorAll("[data-copies]")) {
  const text = document.getElementById(button.dataset.copies);
  const says = button.textContent;
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text.textContent);
    } catch {
      getSelection().selectAllChildren(text);
      return;
    }
    button.textContent = button.dataset.done;
    setTimeout(() => { button.textContent = says; }, SAID_MS);
  });
}

if (desk) watch();
