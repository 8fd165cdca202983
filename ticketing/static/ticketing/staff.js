/**
 * The page of a member of staff: signs in to the desk, finds a table, and shows who waits and who is served.
 *
 * What the server says is in staff-desk.js, what a clerk can do in staff-actions.js; the other modules each
 * show a part. Here they are wired together. Protocol: docs/protocols/ticketing.md.
 */

import "../realtime/live-state.js";
import { announce, toast } from "../realtime/notice.js";
import { LiveSocket } from "../realtime/socket.js";
import { Actions } from "./staff-actions.js";
import { Alerts } from "./staff-alerts.js";
import { Api, AWAY, SIGNED_OUT } from "./staff-api.js";
import { Desk } from "./staff-desk.js";
import { Keys } from "./staff-keys.js";
import { WaitingLine } from "./staff-line.js";
import "./staff-menu.js";
import { Mine } from "./staff-mine.js";
import { Tables } from "./staff-tables.js";
import { duration } from "./staff-time.js";
import { clearWord, offerLanguages, setWord, startWords, tableName, translate, wordLiveState, words } from "./words.js";

/** The table chosen in this tab: taken again by itself after a reload, a lost connection, a new sign-in. */
const TABLE_STORAGE = "foyer.ticketing.table";
/** The server says something every 20 s; two of these missed and half of one more is a dead connection. */
const SILENCE_MS = 50_000;
/** Minutes are shown, so this is often enough. */
const COUNT_EVERY_MS = 15_000;
const TRY_AGAIN_MS = 3_000;
/** In the background nobody reads faster. */
const HIDDEN_MS = 1_000;
const VIEWS = ["loading", "signed-out", "tables", "desk"];

const element = (id) => document.getElementById(id);
const page = JSON.parse(element("desk-data").textContent);

const api = new Api(page.api, page.csrfToken);
const socket = new LiveSocket(socketAddress, { silenceMs: SILENCE_MS });
const desk = new Desk(socket, page.staff.id);
const actions = new Actions(desk, api, showProblem);
const alerts = new Alerts();
const tables = new Tables(desk, api, page.staff.id, sitDown);
const mine = new Mine(desk, actions, api, (ticket) => tables.chooseFor(ticket));
const line = new WaitingLine(desk, api, acceptFromLine);

let view = "loading";
let wantedTable = sessionStorage.getItem(TABLE_STORAGE);
/** Visitors served today, as of `servedDay`; null until it is known. */
let served = null;
let servedDay = "";
let frame = 0;
let timer = 0;
let drawnAt = 0;

function socketAddress() {
  const url = new URL(`${page.socketPath}?extended=1`, location.origin);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url;
}

// --- signing in and finding a table -----------------------------------------------------------------

async function start() {
  await startWords({ page: "staff", languages: page.languages });
  offerLanguages(element("languages"));
  wordLiveState(element("live"));
  clearWord(element("staff-name"));
  element("staff-name").textContent = page.staff.name;
  element("live").socket = socket;
  new Keys();
  getToken();
}

async function getToken() {
  const code = api.token ? "" : await api.renewToken();
  if (!code) socket.start();
  else if (code === SIGNED_OUT) signedOut();
  else {
    showProblem(code === AWAY ? "staff.awayAtStart" : "staff.failedAtStart");
    setTimeout(getToken, TRY_AGAIN_MS);
  }
}

desk.addEventListener("connected", () => {
  if (wantedTable === null) show("tables");
  else sitDown(wantedTable);
});

async function sitDown(number) {
  const code = await desk.command("pick", number, api.token);
  if (code === "") {
    wantedTable = String(number);
    sessionStorage.setItem(TABLE_STORAGE, wantedTable);
    showProblem("");
  } else if (code === SIGNED_OUT) {
    signedOut();
  } else if (code === AWAY) {
    // A table that was mine is asked for again with the next connection.
    if (view === "tables") toast(translate("staff.notLiveNow"));
  } else if (code === "TABLE_UNAVAILABLE") {
    forgetTable();
    showProblem("staff.tableGone", { table: tableName(desk.tables.get(Number(number)) ?? { number }) });
  } else {
    showProblem(code === "UNAVAILABLE" ? "staff.unavailable" : "staff.failed");
    // A table that was mine is mine to take again.
    setTimeout(() => wantedTable === String(number) && socket.state === "live" && sitDown(number), TRY_AGAIN_MS);
  }
}

desk.addEventListener("ready", () => {
  show("desk");
  countServed();
});

/** I left, or the table was taken from me: choose another one. */
function forgetTable() {
  wantedTable = null;
  sessionStorage.removeItem(TABLE_STORAGE);
  desk.forget();
  show("tables");
}

desk.addEventListener("unseated", () => {
  forgetTable();
  showProblem("staff.unseated");
});

function signedOut() {
  api.dropToken();
  socket.stop();
  desk.forget();
  showProblem("");
  document.querySelector("dialog[open]")?.close("");
  show("signed-out");
}

desk.addEventListener("signed-out", signedOut);
actions.addEventListener("signed-out", signedOut);

element("sign-in-again").addEventListener("click", async () => {
  // Who was put out has to give the password again; the table is remembered by this tab.
  const { action } = element("sign-out");
  const headers = { "X-CSRFToken": page.csrfToken };
  await fetch(action, { method: "POST", headers, redirect: "manual" }).catch(() => null);
  location.assign(page.socketPath);
});

element("sign-out").addEventListener("submit", async (event) => {
  event.preventDefault();
  element("menu").open = false;
  if (!(await leave())) return;
  await api.post("logout");
  api.dropToken();
  sessionStorage.clear();
  event.target.submit();
});

// --- at the table -------------------------------------------------------------------------------------

/** Leave the table, if there is one. Gives whether there is none any more. */
async function leave() {
  if (desk.seat === null) return true;
  if (!(await tables.confirmLeaving(desk.mine()))) return false;
  // Without a connection the table is let go of by itself.
  if (!desk.isCurrent) forgetTable();
  else if ((await actions.leave()) === "") forgetTable();
  return desk.seat === null;
}

element("leave").addEventListener("click", leave);
element("pause").addEventListener("click", () => actions.pause());
element("next").addEventListener("click", () => {
  if (desk.waiting().length) actions.next();
});

async function acceptFromLine(ticket) {
  mine.focusOn(ticket.id);
  if ((await actions.accept(ticket)) !== "") mine.focusOn(0);
}

desk.addEventListener("arrived", ({ detail: ticket }) => {
  const others = desk.waiting().length - 1;
  if (!actions.isOwnDoing(ticket)) alerts.arrived(ticket, { isFirst: others === 0 });
});

desk.addEventListener("mine", ({ detail: { ticket, by } }) => {
  if (by) alerts.handed(ticket, by);
  else announce(translate("staff.called", { label: ticket.label, name: ticket.name }));
});

desk.addEventListener("lost", ({ detail: { ticket } }) => {
  if (ticket.state === "completed" && served !== null) served += 1;
  tables.checkTransfer();
  // Somebody else did it, or I did in another window.
  if (!actions.isOwnDoing(ticket)) showProblem(`staff.lost_${ticket.state}`, { label: ticket.label });
});

/** How many I served today; from here on they are counted as they are completed. */
async function countServed() {
  servedDay = today();
  const query = `state=completed&staff=${page.staff.id}&from=${servedDay}&to=${servedDay}&limit=1`;
  const { code, body } = await api.get(`tickets?${query}`);
  if (code === "") served = body.count;
  redraw();
}

/** The day of the desk, which may not be that of this machine. */
function today() {
  return new Intl.DateTimeFormat("en-CA", { timeZone: page.timeZone }).format(api.now());
}

// --- what is seen ---------------------------------------------------------------------------------------

/** Show one of the views; whoever had the focus in another one gets it at the head of this one. */
function show(name) {
  if (view !== name) {
    const active = document.activeElement;
    const before = element(`view-${view}`);
    const hadFocus = active === document.body || before.contains(active);
    const wasLoading = view === "loading";
    view = name;
    for (const other of VIEWS) element(`view-${other}`).hidden = other !== name;
    // Without a token there is nothing to connect to.
    element("live").hidden = name === "signed-out";
    scrollTo(0, 0);
    if (hadFocus && !wasLoading) element(`view-${name}`).querySelector("h1").focus();
  }
  redraw();
}

/** Show a sentence that stays until it is not true any more; "" takes it away. */
function showProblem(key, values) {
  if (key) setWord(element("problem"), key, values);
  else clearWord(element("problem"));
}

/**
 * Many may come at once: one drawing for each frame of the screen. A window in the background has no
 * frames, and its title has to be right all the same.
 */
function redraw() {
  if (!document.hidden) frame ||= requestAnimationFrame(draw);
  else if (Date.now() - drawnAt >= HIDDEN_MS) draw();
  else timer ||= setTimeout(draw, HIDDEN_MS);
}

function draw() {
  clearTimeout(timer);
  frame = timer = 0;
  drawnAt = Date.now();
  tables.draw();
  alerts.title(desk.waiting().length, desk.table ? tableName(desk.table) : "");
  // Also where it is not seen: who has no table keeps nobody's name on the page.
  drawNext();
  mine.draw();
  line.draw();
  if (view !== "desk") return;
  drawTable();
  count();
}

function drawTable() {
  const isPaused = desk.table?.state === "paused";
  element("desk-title").textContent = tableName(desk.table ?? { number: desk.seat, name: "" });
  setWord(element("desk-badge"), isPaused ? "staff.badgePaused" : "staff.badgeOpen");
  element("desk-badge").className = `badge badge--${isPaused ? "attention" : "accent"}`;
  setWord(element("pause-text"), isPaused ? "staff.resume" : "staff.pause");
  element("pause").ariaDisabled = desk.isCurrent && !actions.isBusy("table") ? null : "true";
  element("paused").hidden = !isPaused;
  element("stale").hidden = desk.isCurrent;
}

function drawNext() {
  const [first] = desk.waiting();
  element("next-label").textContent = first?.label ?? "";
  element("next-name").textContent = first?.name ?? translate("staff.lineEmpty");
  element("next").ariaDisabled = first && desk.isCurrent && !actions.isBusy("next") ? null : "true";
}

/** Bring the figures and times up to date. */
function count() {
  const waiting = desk.waiting();
  const numbers = new Intl.NumberFormat(`${document.documentElement.lang}-u-nu-latn`);
  element("figure-waiting").textContent = numbers.format(waiting.length);
  element("figure-longest").textContent = waiting.length
    ? duration(api.now() - Date.parse(waiting[0].start))
    : "–";
  element("figure-served").textContent = served === null ? "–" : numbers.format(served);
}

setInterval(() => {
  if (view !== "desk" || document.hidden) return;
  if (servedDay !== today()) countServed();
  mine.count();
  line.count();
  count();
}, COUNT_EVERY_MS);

document.addEventListener("visibilitychange", () => document.hidden || redraw());
desk.addEventListener("change", redraw);
actions.addEventListener("change", redraw);
words.addEventListener("change", redraw);

start();
