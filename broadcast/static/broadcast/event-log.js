/**
 * The list of events: newest first, bounded, filtered, and able to stand still.
 *
 * Rows are made once for each frame the screen draws, however many events arrive in between, and all
 * of an event is shown as text: nothing anyone sends can become markup.
 */

import { announce } from "../realtime/notice.js";
import { preciseTime } from "../realtime/time.js";
import { readable } from "./payload.js";

/** More than anyone reads, and few enough to stay quick on a phone. */
const MAX_ROWS = 200;
/** A longer payload is cut, with a button to see the rest: it may have 64 KiB. */
const MAX_CHARACTERS = 1_500;
/** A screen reader is told how many events came, not each of them, and not more often than this. */
const ANNOUNCE_MS = 5_000;

const element = (id) => document.getElementById(id);

export class EventLog {
  #list = element("events");
  #rowTemplate = element("event-row").content.firstElementChild;
  /** Event IDs on the list and waiting for it: a replay may overlap with what is there already. */
  #known = new Set();
  #waiting = [];
  #frame = 0;
  #paused = false;
  #held = 0;
  #dropped = false;
  #unannounced = 0;
  #announceTimer = 0;
  #filter = "";
  #nothingYet = element("events-empty").textContent;

  constructor() {
    element("pause").addEventListener("click", () => this.#setPaused(!this.#paused));
    element("clear").addEventListener("click", () => this.clear());
    // Otherwise a row would light up again each time a filter hid and showed it.
    this.#list.addEventListener("animationend", (event) => event.target.classList.remove("is-new"));
    element("filter").addEventListener("input", (event) => this.#setFilter(event.target.value));
  }

  /** An event that just arrived. */
  addEvent({ id, payload, acknowledged, at = Date.now() }) {
    if (this.#known.has(id)) return;
    this.#known.add(id);
    this.#held += this.#paused ? 1 : 0;
    this.#push({ id, at, acknowledged, text: readable(payload) });
    if (!this.#paused) this.#tell();
  }

  /** Events from before everything on the list, oldest first: they go to its end. */
  addOlder(events) {
    const rows = [];
    for (const { id, payload, at } of events) {
      if (this.#known.has(id)) continue;
      this.#known.add(id);
      rows.unshift(this.#row({ id, at, text: readable(payload) }));
    }
    this.#list.append(...rows);
    this.#tidy();
  }

  /** Something about the connection that a reader of the list must know. */
  addNote(text, { calm = false } = {}) {
    this.#push({ note: text, calm });
  }

  clear() {
    this.#list.replaceChildren();
    this.#waiting = [];
    this.#known.clear();
    this.#held = 0;
    this.#dropped = false;
    this.#tidy();
    announce("The list is empty.");
  }

  #push(item) {
    this.#waiting.push(item);
    if (this.#waiting.length > MAX_ROWS) {
      this.#known.delete(this.#waiting.shift().id);
      this.#dropped = true;
    }
    if (this.#paused) this.#showPaused();
    else this.#frame ||= requestAnimationFrame(() => this.#draw());
  }

  #draw() {
    this.#frame = 0;
    if (this.#paused) return;
    const rows = this.#waiting.reverse().map((item) => (item.note ? this.#noteRow(item) : this.#row(item)));
    this.#waiting = [];
    for (const row of rows) row.classList.add("is-new");
    this.#list.prepend(...rows);
    this.#tidy();
  }

  #row({ id, at, text, acknowledged }) {
    const row = this.#rowTemplate.cloneNode(true);
    const [meta, body, more] = row.children;
    const [time, code, badge] = meta.children;
    row.dataset.id = id;
    row.dataset.search = `${id} ${text}`.toLowerCase();
    time.dateTime = at ? new Date(at).toISOString() : "";
    time.textContent = at ? preciseTime(at) : "earlier";
    code.textContent = id;
    badge.hidden = !acknowledged;
    body.textContent = text.slice(0, MAX_CHARACTERS);
    if (text.length > MAX_CHARACTERS) {
      body.textContent += "…";
      more.hidden = false;
      more.textContent = `Show all ${text.length.toLocaleString()} characters`;
      more.addEventListener("click", () => {
        body.textContent = text;
        more.remove();
      });
    }
    row.hidden = !this.#matches(row);
    return row;
  }

  #noteRow({ note, calm }) {
    const row = document.createElement("li");
    row.className = `log__note${calm ? " log__note--calm" : ""}`;
    row.textContent = note;
    return row;
  }

  #matches(row) {
    return !this.#filter || row.dataset.search === undefined || row.dataset.search.includes(this.#filter);
  }

  #setFilter(text) {
    this.#filter = text.trim().toLowerCase();
    for (const row of this.#list.children) row.hidden = !this.#matches(row);
    this.#tidy();
  }

  #setPaused(paused) {
    this.#paused = paused;
    element("pause").setAttribute("aria-pressed", String(paused));
    if (!paused) {
      this.#held = 0;
      this.#draw();
    }
    this.#showPaused();
  }

  #showPaused() {
    const note = element("paused");
    note.hidden = !this.#paused;
    const arrived = this.#held === 1 ? "1 event has" : `${this.#held.toLocaleString()} events have`;
    note.textContent = `Paused: the list stands still. ${arrived} arrived since.`;
  }

  /** Keep the list within its bound, and say what is not on it. */
  #tidy() {
    while (this.#list.children.length > MAX_ROWS) {
      const last = this.#list.lastElementChild;
      this.#known.delete(last.dataset.id);
      last.remove();
      this.#dropped = true;
    }
    const shown = [...this.#list.children].some((row) => !row.hidden);
    const empty = element("events-empty");
    empty.hidden = shown;
    empty.textContent = this.#list.children.length
      ? "No event on the list contains that."
      : this.#nothingYet;
    const bound = element("events-bound");
    bound.hidden = !this.#dropped;
    bound.textContent = `Only the latest ${MAX_ROWS} are shown.`;
  }

  #tell() {
    this.#unannounced += 1;
    this.#announceTimer ||= setTimeout(() => {
      announce(this.#unannounced === 1 ? "One new event." : `${this.#unannounced} new events.`);
      this.#unannounced = this.#announceTimer = 0;
    }, ANNOUNCE_MS);
  }
}
