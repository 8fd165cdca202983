/**
 * Clears the kiosk for the next person once somebody has left it, and asks first.
 *
 * Whoever needs more time gets it with one touch or key, as often as wanted, and each time twice as much.
 */

import { clearWord, setWord } from "./words.js";

/** Without a touch or a key for this long, somebody has probably left. */
const QUIET_MS = { typing: 60_000, number: 30_000 };
/** As long as the question stands. WCAG 2.2.1 asks for 20 s at least. */
const QUESTION_S = 30;
/** A screen reader says once more that time is running out. */
const LAST_CALL_S = 10;
const LONGEST_QUIET_MS = 10 * 60_000;

const element = (id) => document.getElementById(id);

/** Tells when the time is up, or somebody says to be done ("end"). */
export class Idle extends EventTarget {
  #dialog = element("idle");
  #kind = null;
  /** How much slower than others this visitor is. */
  #patience = 1;
  #timer = 0;
  #endsAt = 0;

  constructor() {
    super();
    for (const type of ["pointerdown", "keydown", "input"]) {
      document.addEventListener(type, () => this.#touched(), { capture: true, passive: true });
    }
    element("idle-more").addEventListener("click", () => this.#giveMore());
    element("idle-end").addEventListener("click", () => this.#end());
    // Escape, and a touch beside the question, are answers too: somebody is there.
    this.#dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      this.#giveMore();
    });
    this.#dialog.addEventListener("click", (event) => {
      if (event.target === this.#dialog) this.#giveMore();
    });
  }

  /** Watch: somebody is "typing" or has a "number"; null: nobody is here, there is nothing to clear. */
  watch(kind) {
    if (kind === this.#kind) return;
    if (!this.#kind) this.#patience = 1;
    this.#kind = kind;
    this.#wait();
  }

  #wait() {
    clearTimeout(this.#timer);
    this.#dialog.close();
    if (!this.#kind) return;
    const quietMs = Math.min(QUIET_MS[this.#kind] * this.#patience, LONGEST_QUIET_MS);
    this.#timer = setTimeout(() => this.#ask(), quietMs);
  }

  #touched() {
    if (this.#kind && !this.#dialog.open) this.#wait();
  }

  #ask() {
    this.#endsAt = Date.now() + QUESTION_S * 1000;
    setWord(element("idle-end"), this.#kind === "number" ? "kiosk.idleEndNumber" : "kiosk.idleEnd");
    clearWord(element("idle-status"));
    this.#count();
    this.#dialog.showModal();
    element("idle-more").focus();
  }

  #count() {
    const seconds = Math.max(0, Math.ceil((this.#endsAt - Date.now()) / 1000));
    if (seconds === 0) {
      this.#end();
      return;
    }
    const word = this.#kind === "number" ? "kiosk.idleNumber" : "kiosk.idle";
    element("idle-count").textContent = seconds;
    setWord(element("idle-text"), word, { count: seconds });
    if (seconds === LAST_CALL_S) setWord(element("idle-status"), word, { count: seconds });
    this.#timer = setTimeout(() => this.#count(), 1000);
  }

  #giveMore() {
    this.#patience *= 2;
    this.#wait();
  }

  #end() {
    this.watch(null);
    this.dispatchEvent(new Event("end"));
  }
}
