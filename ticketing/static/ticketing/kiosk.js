/**
 * The kiosk: a visitor's way from the address to a number, one step at a time.
 *
 *     email -> name (filled in where the desk knows it) -> confirm -> taking -> number
 *
 * Nothing is kept of a visitor once the next one comes: see `startAgain`.
 */

import "../realtime/live-state.js";
import { announce, toast } from "../realtime/notice.js";
import { Desk, Refusal } from "./kiosk-desk.js";
import { Idle } from "./kiosk-idle.js";
import { Keyboard } from "./kiosk-keyboard.js";
import { CAN_PRINT, PRINTS_BY_ITSELF, fillSlip } from "./kiosk-slip.js";
import {
  clearWord,
  offerLanguages,
  resetLanguage,
  setWord,
  startWords,
  translate,
  wait,
  wordLiveState,
  words,
} from "./words.js";

/** Not connected for this long: waiting alone may not help. */
const AWAY_LONG_MS = 60_000;
const STEPS = ["email", "name", "confirm"];
/** Where something of a visitor may still stand when the next one comes. */
const LEFT_BEHIND = ["name-hint", "given-name", "given-email", "confirm-error", "number", "ahead", "estimate"];

const element = (id) => document.getElementById(id);
const page = JSON.parse(element("desk-data").textContent);
const email = element("email");
const name = element("name");

await startWords({ page: "kiosk", languages: page.languages });
const desk = new Desk(page.socketPath);
const idle = new Idle();
const keyboard = new Keyboard();

let step = "";
/** The number that is shown, or null. */
let ticket = null;
/** The address whose name was asked for last: it is asked for once. */
let searched = "";
let awayTimer = 0;
/** A notice says that the desk is away. */
let saidAway = false;

// --- steps ----------------------------------------------------------------------------------------------

/** Show a step; the focus goes to where it begins. */
function show(next, focus = null) {
  step = next;
  for (const section of document.querySelectorAll(".step")) section.hidden = section.id !== `step-${step}`;
  const place = STEPS.indexOf(step) + 1;
  element("progress").hidden = place === 0;
  element("progress").dataset.step = place;
  if (place) setWord(element("progress-text"), "kiosk.steps", { step: place, steps: STEPS.length });
  keyboard.attach({ email, name }[step] ?? null);
  watchIdle();
  showState();
  title();
  scrollTo(0, 0);
  (focus ?? { email, name }[step] ?? element(`${step}-title`)).focus();
}

function title() {
  const heading = element(`${step}-title`);
  const where = page.place || translate("common.place");
  document.title = `${heading.innerText.replace(/\s+/g, " ").trim()} – ${where}`;
}

/** On the first step, with nothing typed, there is nothing to clear, by time or by hand. */
function watchIdle() {
  const untouched = step === "email" && !email.value && !name.value;
  idle.watch(step === "number" ? "number" : untouched ? null : "typing");
  element("again").hidden = untouched || step === "number";
}

/** As nobody had been here. */
function startAgain() {
  desk.forget();
  ticket = null;
  searched = "";
  email.value = name.value = "";
  fillSlip(null, page);
  for (const field of [email, name]) {
    complain(field, "");
    changed(field);
  }
  for (const id of LEFT_BEHIND) clearWord(element(id));
  announce("");
  keyboard.reset();
  resetLanguage();
  show("email");
}

// --- fields ---------------------------------------------------------------------------------------------

/** Say what is wrong with a field; "" when nothing is, any more. */
function complain(field, key) {
  const place = element(`${field.id}-error`);
  if (key) setWord(place, key);
  else clearWord(place);
  field.ariaInvalid = key ? "true" : null;
}

function changed(field) {
  document.querySelector(`[data-clear="${field.id}"]`).hidden = !field.value;
}

function emailProblem() {
  email.value = email.value.replace(/\s+/g, "");
  if (!email.value) return "kiosk.emailMissing";
  return /^[^@]+@[^@]+\.[^@.]+$/u.test(email.value) ? "" : "kiosk.emailWrong";
}

function nameProblem() {
  name.value = name.value.trim();
  return name.value ? "" : "kiosk.nameMissing";
}

for (const field of [email, name]) {
  field.addEventListener("input", () => {
    // A complaint goes as soon as somebody does something about it; a new one waits for the button.
    complain(field, "");
    changed(field);
    watchIdle();
  });
}

document.addEventListener("click", (event) => {
  const { clear, back } = event.target.closest("button")?.dataset ?? {};
  if (clear) {
    const field = element(clear);
    field.value = "";
    field.dispatchEvent(new InputEvent("input", { bubbles: true }));
    field.focus();
  }
  if (back) show(back);
});

function onSubmit(id, then) {
  element(id).addEventListener("submit", (event) => {
    event.preventDefault();
    then();
  });
}

onSubmit("step-email", () => {
  const problem = emailProblem();
  changed(email);
  complain(email, problem);
  if (problem) email.focus();
  else enterName();
});

onSubmit("step-name", () => {
  const problem = nameProblem();
  changed(name);
  complain(name, problem);
  if (problem) name.focus();
  else confirm();
});

onSubmit("step-confirm", take);

/** Ask for the name while it is being asked for on the screen: nobody waits for the desk. */
async function enterName() {
  show("name");
  if (searched === email.value) return;
  const asked = (searched = email.value);
  // The name belongs to the address that was there before.
  name.value = "";
  changed(name);
  setWord(element("name-hint"), "kiosk.nameSearching");
  const found = await desk.findName(asked);
  if (searched !== asked) return;
  if (found === null) searched = "";
  setWord(element("name-hint"), found && !name.value ? "kiosk.nameKnown" : "kiosk.nameNew");
  // Somebody may have been quicker.
  if (!found || name.value || step !== "name") return;
  name.value = found;
  complain(name, "");
  changed(name);
  keyboard.attach(name);
}

function confirm() {
  element("given-email").textContent = email.value;
  element("given-name").textContent = name.value;
  clearWord(element("confirm-error"));
  show("confirm");
}

// --- the number -----------------------------------------------------------------------------------------

async function take() {
  show("taking");
  showTaking();
  try {
    ticket = await desk.takeTicket({ email: email.value, name: name.value });
    showNumber();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    refuse(error.reason);
  }
}

const REFUSALS = {
  "the email address is not valid": ["email", "kiosk.emailWrong"],
  "the name is missing": ["name", "kiosk.nameMissing"],
  "the name is too long": ["name", "kiosk.nameTooLong"],
  "too many messages": ["confirm", "kiosk.busy"],
};

/** Back to where it can be put right, with the reason. */
function refuse(reason) {
  const [where, key] = REFUSALS[reason] ?? ["confirm", "kiosk.problem"];
  show(where, where === "confirm" ? element("take") : null);
  if (where === "confirm") setWord(element("confirm-error"), key);
  else complain(element(where), key);
}

function showTaking() {
  if (step !== "taking") return;
  if (desk.live) clearWord(element("taking-late"));
  else setWord(element("taking-late"), "kiosk.takingLate");
}

function showNumber() {
  element("number").textContent = ticket.label;
  element("number").style.setProperty("--characters", ticket.label.length);
  // What was typed is not needed any more, and the next person must not find it.
  email.value = name.value = "";
  wordNumber();
  fillSlip(ticket, page);
  element("print").hidden = !CAN_PRINT;
  show("number");
  if (PRINTS_BY_ITSELF) print();
}

function wordNumber() {
  if (!ticket) return;
  if (ticket.ahead) setWord(element("ahead"), "kiosk.ahead", { count: ticket.ahead });
  else setWord(element("ahead"), "kiosk.nobodyAhead");
  if (ticket.estimateS === null) setWord(element("estimate"), "kiosk.noEstimate");
  else setWord(element("estimate"), "kiosk.estimate", { wait: wait(ticket.estimateS) });
  const remember = PRINTS_BY_ITSELF ? "printing" : CAN_PRINT ? "remember" : "rememberOnly";
  setWord(element("remember"), `kiosk.${remember}`);
}

element("taking-back").addEventListener("click", () => {
  desk.forget();
  show("confirm");
});
element("print").addEventListener("click", () => print());
for (const id of ["done", "again"]) element(id).addEventListener("click", startAgain);
idle.addEventListener("end", startAgain);

// --- the connection -------------------------------------------------------------------------------------

function showState() {
  const { socket, refused } = desk;
  clearTimeout(awayTimer);
  document.body.classList.toggle("is-refused", refused);
  element("out-of-service").hidden = !refused;
  const away = !desk.live && (socket.wasLive || socket.state === "waiting");
  const awayForMs = Date.now() - socket.since;
  if (away && awayForMs < AWAY_LONG_MS) awayTimer = setTimeout(showState, AWAY_LONG_MS - awayForMs);
  const notice = away && !refused ? noticeOf(awayForMs >= AWAY_LONG_MS) : "";
  element("notice").hidden = !notice;
  if (notice) setWord(element("notice-text"), notice);
  else clearWord(element("notice-text"));
  if (saidAway && desk.live) toast(translate("kiosk.backLive"));
  saidAway = Boolean(notice);
  showTaking();
  showLine();
}

/** What a visitor needs to know of it depends on what the visitor is doing. */
function noticeOf(forLong) {
  // The number is there, and valid.
  if (step === "number") return "";
  if (forLong) return "kiosk.awayLong";
  return step === "taking" ? "" : "kiosk.away";
}

function showLine() {
  const { line } = desk;
  element("line").hidden = !line;
  if (!line) return;
  if (line.waiting) setWord(element("line-waiting"), "common.waiting", { count: line.waiting });
  else setWord(element("line-waiting"), "common.nobodyWaiting");
  element("line-wait").hidden = line.estimate_s === null;
  if (line.estimate_s !== null) {
    setWord(element("line-estimate"), "kiosk.expected", { wait: wait(line.estimate_s) });
  }
}

desk.addEventListener("state", showState);
desk.addEventListener("line", showLine);

if (page.place) {
  element("place").removeAttribute("data-word");
  element("place").textContent = page.place;
}
words.addEventListener("change", () => {
  // These hold other words in their values.
  wordNumber();
  showLine();
  if (step) title();
});
element("live").socket = desk.socket;
wordLiveState(element("live"));
offerLanguages(element("languages"));
show("email");
desk.start();
