// Counts the time down, and asks with growing pauses whether the order has moved on.
"use strict";
(() => {
  const card = document.querySelector("main[data-state]");
  const until = document.getElementById("until");
  const countdown = document.getElementById("countdown");
  const FIRST_PAUSE_MS = 1500;
  const LONGEST_PAUSE_MS = 15000;
  const GROWTH = 1.25;
  const ends = performance.now() + Number(card.dataset.left) * 1000;
  const address = `${location.pathname.replace(/\/$/, "")}/status`;
  let pause = FIRST_PAUSE_MS;
  let timer = 0;

  function tick() {
    const left = Math.max(0, Math.ceil((ends - performance.now()) / 1000));
    const hours = Math.floor(left / 3600);
    const minutes = String(Math.floor((left % 3600) / 60)).padStart(2, "0");
    const seconds = String(left % 60).padStart(2, "0");
    countdown.textContent = hours ? `${hours}:${minutes}:${seconds}` : `${minutes}:${seconds}`;
    countdown.classList.toggle("soon", left < 60);
    if (left > 0) setTimeout(tick, 1000);
  }

  async function look() {
    clearTimeout(timer);
    if (document.hidden) return;
    try {
      const answer = await fetch(address, { cache: "no-store", credentials: "omit" });
      if (answer.ok) {
        const { state, told } = await answer.json();
        if (state !== card.dataset.state || told !== card.dataset.told) {
          location.reload();
          return;
        }
      }
    } catch {
      // Away for a moment: the next look comes later.
    }
    pause = Math.min(pause * GROWTH, LONGEST_PAUSE_MS);
    timer = setTimeout(look, pause);
  }

  // Somebody who comes back from the payment wants to see the result now.
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return;
    pause = FIRST_PAUSE_MS;
    look();
  });
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });
  if (countdown) {
    until.hidden = true;
    countdown.hidden = false;
    tick();
  }
  timer = setTimeout(look, pause);
})();
