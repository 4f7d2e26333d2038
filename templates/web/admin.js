// Keeps the bars of issues that go out up to date: asks for the state every three seconds, while the page is seen.
"use strict";
{
  const EVERY = 3000;
  const places = new Set(document.querySelectorAll("[data-live]"));

  async function renew(place) {
    const answer = await fetch(place.dataset.live, { credentials: "same-origin", redirect: "error" });
    if (!answer.ok) throw new Error(String(answer.status));
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const now = page.querySelector(".state-now");
    if (!now) throw new Error("no state");
    if (place.querySelector(".state-now")) {
      place.replaceChildren(now);
    } else {
      place.querySelector(".bar").replaceWith(now.querySelector(".bar"));
      place.querySelector("[data-label]").textContent = now.querySelector("[data-label]").textContent;
    }
    if (!("going" in now.dataset)) places.delete(place);
  }

  async function turn() {
    if (!document.hidden) {
      for (const place of [...places]) await renew(place).catch(() => {});  // the next turn asks again
    }
    if (places.size) setTimeout(turn, EVERY);
  }

  if (places.size) setTimeout(turn, EVERY);
}
