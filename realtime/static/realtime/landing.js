/** The first page: keeps the state of the parts up to date, and takes a visitor to a channel. */

import "./live-state.js";

const ASK_EVERY_MS = 10_000;
const GIVE_UP_MS = 5_000;

const element = (id) => document.getElementById(id);

/** What <live-state> wants to know, from asking /readyz again and again while the page is in view. */
class Readiness extends EventTarget {
  state = "connecting";
  since = Date.now();
  wasLive = false;
  retryAt = 0;
  lastClose = null;
  #timer = 0;

  constructor() {
    super();
    document.addEventListener("visibilitychange", () => document.hidden || this.start());
    addEventListener("online", () => this.start());
  }

  /** Ask now. */
  async start() {
    clearTimeout(this.#timer);
    if (this.state === "waiting") this.#enter("connecting");
    try {
      const response = await fetch("/readyz", { signal: AbortSignal.timeout(GIVE_UP_MS) });
      const report = await response.json();
      this.#enter("live");
      this.dispatchEvent(new CustomEvent("report", { detail: { report, ready: response.ok } }));
    } catch {
      this.#enter("waiting");
    }
    clearTimeout(this.#timer);
    if (!document.hidden) this.#timer = setTimeout(() => this.start(), ASK_EVERY_MS);
  }

  #enter(state) {
    if ((this.state === "live") !== (state === "live")) this.since = Date.now();
    this.state = state;
    this.wasLive ||= state === "live";
    this.retryAt = state === "waiting" ? Date.now() + ASK_EVERY_MS : 0;
    this.dispatchEvent(new Event("state"));
  }
}

/** Words first: the colour only repeats what they say. */
function show(badge, good, words) {
  badge.textContent = words;
  badge.classList.toggle("badge--accent", good);
  badge.classList.toggle("badge--attention", !good);
}

const readiness = new Readiness();
readiness.addEventListener("report", ({ detail: { report, ready } }) => {
  for (const badge of document.querySelectorAll("[data-part]")) {
    const good = report[badge.dataset.part] === "ok";
    show(badge, good, good ? "Working" : "Not working");
  }
  for (const badge of document.querySelectorAll("[data-service]")) {
    show(badge, ready, ready ? "Running" : "Limited");
  }
  const trouble = ready
    ? ""
    : "Something that Foyer needs is not working. See the state of the parts below.";
  if (element("trouble").textContent !== trouble) element("trouble").textContent = trouble;
});
readiness.addEventListener("state", () => {
  if (readiness.state !== "waiting") return;
  for (const badge of document.querySelectorAll("[data-part], [data-service]")) show(badge, false, "Not known");
});
element("live").socket = readiness;
readiness.start();

element("join").addEventListener("submit", (event) => {
  event.preventDefault();
  const input = element("channel");
  const name = input.value.trim();
  const problem = /^[A-Za-z0-9._:~-]{1,128}$/.test(name)
    ? ""
    : name
      ? "A channel’s name has only letters from a to z, digits, and . _ : ~ -"
      : "Write the name of a channel first.";
  element("channel-error").textContent = problem;
  input.ariaInvalid = problem ? "true" : null;
  if (problem) input.focus();
  else location.assign(`/${name}/listen`);
});
