/**
 * The waiting room's screen: wires the socket to the board, the queue of calls and what draws and sounds.
 * Messages: docs/protocols/ticketing.md.
 *
 * In the address: `lang=de` (what is shown), `say=en,de` (what is spoken, one after another; `say=` for the
 * chime alone), `tables=0,2` (these tables, in this order), `keys=off` (no keys F and M).
 */

import "../realtime/live-state.js";
import { announce as readOut } from "../realtime/notice.js";
import { LiveSocket } from "../realtime/socket.js";
import { CallOut } from "./call-out.js";
import { Sound } from "./call-out-sound.js";
import { Board } from "./display-board.js";
import { History } from "./display-history.js";
import { hideWhenIdle, offerFullScreen, stayAwake, toggleFullScreen } from "./display-screen.js";
import { View } from "./display-view.js";
import {
  calendarDay,
  clock,
  language,
  languages,
  offerLanguages,
  setLanguage,
  setWord,
  startWords,
  translate,
  wordLiveState,
  words,
} from "./words.js";

/** The server says how long the line is every 20 s, whether that changed or not. */
const SILENCE_MS = 50_000;
/** Nobody stands by to press a button: it is never longer than this until the next attempt. */
const MAX_DELAY_MS = 10_000;
/** A call stays the large one for at least as long as it takes to look up and read it. */
const SHOWN_MS = 4_000;
/** A display that is not let in any more looks this often whether it is again: it has no keyboard. */
const ASK_AGAIN_MS = 60_000;

const element = (id) => document.getElementById(id);
const delay = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const desk = JSON.parse(element("desk-data").textContent);
const chosen = new URL(location).searchParams;

await startWords({ page: "display", languages: desk.languages });
if (chosen.has("lang")) setLanguage(chosen.get("lang"), { remember: false });

const board = new Board(numbers(chosen.get("tables")));
const history = new History();
const view = new View({ board, history, timeZone: desk.timeZone });
const sound = new Sound();
const callOut = new CallOut({ announce, isCurrent: (call) => board.holds(call) });

/** "0,2" as [0, 2]; null, for all tables, where that leaves none. */
function numbers(list) {
  const found = (list ?? "").split(",").filter((part) => /^\s*\d+\s*$/.test(part));
  return found.length ? [...new Set(found.map(Number))] : null;
}

// --- calls ------------------------------------------------------------------------------------------------

/** The languages of the voice: those asked for, as far as there are words; else the one that is shown. */
function spokenLanguages() {
  if (!chosen.has("say")) return [language()];
  const asked = chosen.get("say").split(",").map((code) => code.trim());
  return [...new Set(asked)].filter((code) => languages().includes(code));
}

function sentence({ label, table }, code) {
  return translate("display.call", { ticket: label, table: view.tableName(table, code) }, code);
}

async function announce(call) {
  history.add(call);
  view.announcing = call;
  // The same words again are only read out again if they were gone in between.
  readOut("");
  requestAnimationFrame(() => readOut(sentence(call, language())));
  const sentences = spokenLanguages().map((code) => ({ text: sentence(call, code), language: code }));
  await Promise.all([sound.play(sentences), delay(SHOWN_MS)]);
  view.announcing = null;
}

// --- the connection ---------------------------------------------------------------------------------------

function socketAddress() {
  const url = new URL(desk.socketPath, location.origin);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  url.searchParams.set("extended", "1");
  return url;
}

const socket = new LiveSocket(socketAddress, { silenceMs: SILENCE_MS, maxDelayMs: MAX_DELAY_MS });
let stateBefore = socket.state;
/** The server refuses this display: that is why it is not live. */
let refused = false;

socket.addEventListener("message", ({ data }) => {
  const fact = board.receive(data);
  if (fact?.kind === "ready") history.merge(board.shown);
  if (fact?.kind === "call") callOut.add(fact.call);
  if (fact) view.show();
});

socket.addEventListener("state", () => {
  if (socket.state === "live") {
    refused = false;
    board.begin();
  }
  if (socket.state === "waiting" && stateBefore === "connecting") askWhetherWelcome();
  if (socket.state === "stopped") {
    refused = true;
    setTimeout(() => socket.start(), ASK_AGAIN_MS);
  }
  stateBefore = socket.state;
  showLost();
});

/** A browser does not say why a handshake failed. This page, asked for again, tells whether it is let in. */
async function askWhetherWelcome() {
  const response = await fetch(location.pathname, { method: "HEAD", cache: "no-store" }).catch(() => null);
  refused = response?.status === 401 || response?.status === 403;
  showLost();
}

function showLost() {
  // An attempt changes nothing: it is the connection that does, and at the very start nothing was lost.
  const first = socket.state === "connecting" && !socket.wasLive && element("lost").hidden;
  const lost = socket.state !== "live" && !first;
  element("lost").hidden = !lost;
  document.body.classList.toggle("is-lost", lost);
  if (!lost) return;
  if (refused) setWord(element("lost-text"), "display.notLetIn");
  else setWord(element("lost-text"), "display.lost", { time: clock(socket.since, desk.timeZone) });
}

// --- sound ------------------------------------------------------------------------------------------------

function showSound() {
  const { state } = sound;
  element("blocked").hidden = state !== "blocked";
  element("muted").hidden = state !== "off";
  element("sound").querySelector("use").setAttribute("href", state === "on" ? "#icon-sound" : "#icon-silent");
  setWord(element("sound-text"), state === "on" ? "display.soundTurnOff" : "display.soundTurnOn");
  showVoices();
}

/** Whoever sets the screen up is told that a language has no voice on this device. */
function showVoices() {
  const silent = spokenLanguages().filter((code) => !sound.speaks(code));
  element("voices").hidden = silent.length === 0 || sound.state !== "on";
  const names = silent.map((code) => translate("common.languageName", {}, code)).join(", ");
  setWord(element("voices"), "display.noVoice", { languages: names });
}

function toggleSound() {
  if (sound.state === "on") sound.turnOff();
  else sound.turnOn();
}

sound.addEventListener("change", showSound);
globalThis.speechSynthesis?.addEventListener?.("voiceschanged", showVoices);
element("sound").addEventListener("click", toggleSound);
element("unblock").addEventListener("click", () => sound.turnOn());

// --- the screen -------------------------------------------------------------------------------------------

/** The same clock as the large one: a display's own time zone is often nobody's choice. */
function showLiveTimes() {
  const at = (word) => () => translate(word, { time: clock(socket.since, desk.timeZone) });
  Object.assign(element("live").texts, { live: at("common.live"), notLive: at("common.notLive") });
  element("live").socket = socket;
}

function showTime() {
  const now = Date.now();
  element("clock").textContent = clock(now, desk.timeZone);
  element("date").textContent = calendarDay(now, desk.timeZone);
  setTimeout(showTime, 60_000 - (now % 60_000));
}

const KEYS = { f: toggleFullScreen, m: toggleSound };

if (chosen.get("keys") !== "off") {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    KEYS[event.key.toLowerCase()]?.();
  });
}

function showTitle() {
  document.title = `${desk.place || translate("display.title")} – Foyer`;
}

if (desk.place) {
  element("place").removeAttribute("data-word");
  element("place").textContent = desk.place;
}
showTitle();
wordLiveState(element("live"));
showLiveTimes();
offerLanguages(element("languages"));
offerFullScreen();
hideWhenIdle();
stayAwake();
showSound();
showTime();
words.addEventListener("change", () => {
  showTitle();
  showLiveTimes();
  showVoices();
  element("date").textContent = calendarDay(Date.now(), desk.timeZone);
});
socket.start();
