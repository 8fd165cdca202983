/**
 * The page of somebody who waits: what the line says, in words. Which words is in `view.js`.
 *
 * Nothing here ever asks for a reload: whatever is lost comes back by itself, and the place with it.
 */

import "../realtime/live-state.js";
import { announce } from "../realtime/notice.js";
import { offerLanguages, setLanguage, startWords, wordLiveState, words } from "../realtime/words.js";
import { Entry } from "./entry.js";
import { Line } from "./line.js";
import { Tell } from "./tell.js";
import { View } from "./view.js";
import * as who from "./who.js";

/** What passes without a word from the server: a wait that stalls, a connection that is lost for long. */
const LOOK_AGAIN_MS = 15_000;
/** Places that are worth an announcement; the number of every place would drown everything else. */
const MILESTONES = [1, 5, 10];

const element = (id) => document.getElementById(id);
const page = JSON.parse(element("page-data").textContent);

await startWords({
  folder: new URL("./words/", import.meta.url),
  storage: "foyer.queue.language",
  languages: page.languages,
  preferred: navigator.languages,
});
const asked = new URLSearchParams(location.search).get("lang");
if (asked) setLanguage(asked);

const line = new Line(page, who);
const view = new View(line);
const tell = new Tell(element("tell"), element("tell-note"));
const entry = new Entry(page.nextUrl);

/** The best place that was announced with this ticket. */
let announced = { ticket: "", place: Infinity };
let shown = "";

function show() {
  view.show();
  if (line.state === "waiting") announcePlace();
  if (line.state === shown) return;
  shown = line.state;
  if (shown === "in") letIn();
  else if (shown !== "waiting" && shown !== "joining") announce(view.heading());
}

function announcePlace() {
  const place = line.ahead + 1;
  const milestone = MILESTONES.find((number) => place <= number) ?? Infinity;
  const isNew = announced.ticket !== line.ticket.id;
  if (!isNew && milestone >= announced.place) return;
  announced = { ticket: line.ticket.id, place: milestone };
  announce(view.heading());
}

function letIn() {
  announce(view.heading());
  tell.now();
  entry.open(line.jwt);
}

for (const button of document.querySelectorAll("[data-join]")) {
  button.addEventListener("click", () => {
    entry.forget();
    line.join();
  });
}
line.addEventListener("change", show);
words.addEventListener("change", () => view.show());
setInterval(() => view.show(), LOOK_AGAIN_MS);
element("live").socket = line.socket;
wordLiveState(element("live"));
offerLanguages(element("languages"));
if (entry.restore()) line.state = shown = "in";
else line.join();
show();
