// The studio without it: choices take effect by the Reload button, and there are no pins, heights and live changes.
"use strict";
const form = document.getElementById("choice");
const shown = document.getElementById("shown");
const live = document.getElementById("live");
document.documentElement.classList.add("has-script");

// The address of the page for what is chosen; what is usual is left out.
const USUAL = { view: "html", width: "360" };
const isUsual = (name, value) => {
  if (value === "" || USUAL[name] === value) return true;
  const slider = document.querySelector(`input[type=range][name="${name}"]`);
  if (slider) return slider.defaultValue === value && !asked.has(name);
  return name === "program" && [...document.querySelectorAll("[name=program]")].every((one) => one.checked === ("usual" in one.dataset));
};
const address = (path = "/") => {
  const query = new URLSearchParams();
  for (const [name, value] of new FormData(form)) if (!isUsual(name, value)) query.append(name, value);
  const text = query.toString();
  return text ? `${path}?${text}` : path;
};
let asked = new URLSearchParams(location.search);

const remember = (url) => {
  history.replaceState(null, "", url);
  asked = new URLSearchParams(location.search);
};

// Details and checkboxes that are open or checked stay so when a part of the page is replaced.
const kept = () => [...document.querySelectorAll("[data-keeps]")].map((one) => [one.dataset.keeps, one.open ?? one.checked]);
const keep = (states) => {
  for (const [name, state] of states) {
    const one = document.querySelector(`[data-keeps="${name}"]`);
    if (one && state) one.tagName === "DETAILS" ? (one.open = true) : (one.checked = true);
  }
};

let turn = 0;
// Fetch the page anew and put it in place of what is shown, without moving anything.
const refresh = async (url = location.href) => {
  const mine = ++turn;
  const answer = await fetch(url, { headers: { Accept: "text/html" } });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (mine !== turn) return;
  const states = kept(), focused = document.activeElement?.name, scrolled = document.querySelector(".of-html")?.scrollTop;
  shown.replaceChildren(...page.getElementById("shown").childNodes);
  document.title = page.title;
  document.body.dataset.change = page.body.dataset.change;
  keep(states);
  if (focused && !form.contains(document.activeElement)) document.querySelector(`#shown [name="${focused}"]`)?.focus();
  wire(scrolled);
};

// What a frame shows, once it is loaded: how high it is, and where the findings are.
const fit = (frame) => {
  const page = frame.contentDocument;
  if (!page?.body || !frame.offsetParent) return; // not loaded yet, or another part is shown
  frame.height = 100;
  frame.height = page.documentElement.scrollHeight;
  if (frame.closest("[data-theme=light]")) point(frame);
};
const measure = (frame) => {
  const heights = document.getElementById("heights");
  if (!heights || !frame.contentDocument?.body || !frame.offsetParent) return;
  const width = frame.width;
  const found = [602, 362].map((one) => {
    frame.width = one;
    frame.height = 100;
    return frame.contentDocument.documentElement.scrollHeight;
  });
  frame.width = width;
  heights.textContent = `${found.map((one) => one.toLocaleString("en")).join(" / ")} px`;
};
const lookAt = (frame) => {
  if (frame.closest("[data-theme=light]")) measure(frame);
  fit(frame);
};
const element = (finding, frame) => {
  const { tag, index } = finding.dataset;
  return tag ? frame.contentDocument.getElementsByTagName(tag)[Number(index)] : null;
};
const point = (frame) => {
  const screen = frame.parentElement;
  for (const pin of screen.querySelectorAll("a.pin")) pin.remove();
  const taken = [];
  for (const finding of document.querySelectorAll(".findings li[data-tag]")) {
    const spot = element(finding, frame);
    if (!spot) continue;
    const pin = finding.querySelector(".pin").cloneNode(true);
    const link = document.createElement("a");
    link.className = pin.className;
    link.textContent = pin.textContent;
    link.href = `#${finding.id}`;
    link.setAttribute("aria-label", `Finding ${pin.textContent}`);
    let top = spot.getBoundingClientRect().top;
    while (taken.some((other) => Math.abs(other - top) < 22)) top += 23;
    taken.push(top);
    link.style.top = `${top}px`;
    screen.append(link);
    finding.classList.add("there");
  }
};

const wire = (scrolled) => {
  const frames = [...document.querySelectorAll("iframe")];
  for (const frame of frames) {
    frame.addEventListener("load", () => {
      lookAt(frame);
      if (scrolled) document.querySelector(".of-html").scrollTop = scrolled;
    });
  }
  for (const finding of document.querySelectorAll(".findings li")) {
    if (finding.dataset.at || finding.dataset.tag) finding.classList.add("there");
    // Reached by the keyboard, too.
    if (finding.dataset.at || finding.dataset.tag) finding.tabIndex = 0;
  }
};

// A finding leads to its spot: in the mail, or in the line or field of another part.
const show = (finding) => {
  const { at, tag } = finding.dataset;
  const view = tag ? "html" : at.slice(0, at.indexOf("-")).replace("header", "headers");
  document.querySelector(`[name=view][value=${view}]`).checked = true;
  remember(address());
  if (!tag) {
    for (const other of document.querySelectorAll(".pointed")) other.classList.remove("pointed");
    const line = document.getElementById(at);
    line?.classList.add("pointed");
    line?.scrollIntoView({ block: "center" });
    return;
  }
  const stage = document.querySelector(".of-html");
  for (const frame of document.querySelectorAll("iframe")) {
    lookAt(frame);
    const spot = element(finding, frame);
    if (!spot) continue;
    for (const other of frame.contentDocument.querySelectorAll("[data-pointed]")) other.removeAttribute("data-pointed"), (other.style.outline = "");
    spot.setAttribute("data-pointed", "");
    spot.style.outline = "3px solid #e3ad3d";
    stage.scrollTop = spot.getBoundingClientRect().top + frame.offsetTop - 120;
  }
  document.querySelector(`a.pin[href="#${finding.id}"]`)?.scrollIntoView({ block: "center" });
};
shown.addEventListener("click", ({ target }) => {
  const pin = target.closest("a.pin");
  if (pin) return show(document.querySelector(pin.getAttribute("href")));
  const finding = target.closest(".findings li.there");
  if (finding) show(finding);
});
shown.addEventListener("keydown", (event) => {
  const finding = event.target.closest(".findings li.there");
  if (finding && event.key === "Enter") show(finding);
});

// While a weight is moved the papers are ordered anew; when it is let go, the mail is too.
let waiting = 0, moves = 0;
const order = async () => {
  const mine = ++moves;
  const answer = await fetch(address("/considered"));
  if (mine !== moves || !answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of [".scroll", ".keep"]) document.querySelector(`#considered ${part}`)?.replaceWith(page.querySelector(part));
};
shown.addEventListener("input", ({ target }) => {
  if (target.type !== "range") return;
  target.nextElementSibling.textContent = String(Number(target.value));
  clearTimeout(waiting);
  waiting = setTimeout(order, 60);
});

document.addEventListener("change", ({ target }) => {
  if (target.form !== form) return;
  if (target.name === "list") {
    // Another list has other issues and other readers.
    for (const name of ["day", "subscriber"]) if (form[name]) form[name].disabled = true;
  }
  if (["list", "day", "subscriber", "language"].includes(target.name)) {
    location.assign(address());
    return;
  }
  remember(address());
  if (target.name === "view") {
    for (const frame of document.querySelectorAll("iframe")) lookAt(frame);
    return;
  }
  if (target.name === "width") {
    for (const frame of document.querySelectorAll("iframe")) {
      frame.width = target.value === "600" ? 640 : target.value;
      fit(frame);
    }
    return;
  }
  refresh();
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  remember(address());
  refresh();
});

// Addresses that begin with what is typed.
form.elements.subscriber?.addEventListener("input", async ({ target }) => {
  const answer = await fetch(`${address("/readers")}${address("/readers").includes("?") ? "&" : "?"}prefix=${encodeURIComponent(target.value)}`);
  if (!answer.ok) return;
  const options = (await answer.json()).map((one) => Object.assign(document.createElement("option"), { value: one }));
  document.getElementById("addresses").replaceChildren(...options);
});

// Sources and relays take their time: one click is enough.
document.addEventListener("submit", ({ target, submitter }) => {
  if (target === form || !submitter?.dataset.busy) return;
  // The page may show something else by now than when its forms were made.
  target.action = address(new URL(target.action).pathname);
  setTimeout(() => {
    submitter.textContent = submitter.dataset.busy;
    submitter.disabled = true;
  });
});

const changes = new EventSource(`/changes?after=${document.body.dataset.change}`);
changes.addEventListener("change", async ({ data }) => {
  if (data === document.body.dataset.change) return;
  try {
    await refresh();
    live.textContent = "";
  } catch {
    live.textContent = "The studio has ended";
  }
});
changes.addEventListener("error", () => (live.textContent = "Not connected: the studio has ended, or begins anew"));
changes.addEventListener("open", () => (live.textContent = ""));
wire();
for (const frame of document.querySelectorAll("iframe")) if (frame.contentDocument?.readyState === "complete" && frame.contentDocument.body?.childElementCount) lookAt(frame);
