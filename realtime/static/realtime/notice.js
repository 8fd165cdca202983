/**
 * Short messages that pass: seen for a moment, and read out once.
 *
 * They live in the #toasts element of every page, which is there from the start: a live region that is
 * added together with its text is not read out by every screen reader.
 */

const SHOWN_MS = 4_000;
/** What comes within this time is read out together. */
const TOGETHER_MS = 1_000;
const MAX_READ_OUT = 300;

/** Show `text` for four seconds and have it read out. Nothing essential may be said only here. */
export function toast(text) {
  const message = Object.assign(document.createElement("div"), { className: "toast", textContent: text });
  document.getElementById("toasts").append(message);
  setTimeout(() => message.remove(), SHOWN_MS);
}

/** Have `text` read out without showing it: for a change the page already shows. */
export function announce(text) {
  document.getElementById("announcements").textContent = text;
}

/** Reads out what others say: one sentence in full, of several only how many they are. */
export class Announcer {
  #several;
  #waiting = [];
  #timer = 0;

  /** @param {string} several what they are called, as "new messages" */
  constructor(several) {
    this.#several = several;
  }

  /** @param {string} text what was said, as a sentence */
  say(text) {
    this.#waiting.push(text);
    this.#timer ||= setTimeout(() => {
      const texts = this.#waiting;
      announce(texts.length === 1 ? texts[0].slice(0, MAX_READ_OUT) : `${texts.length} ${this.#several}.`);
      this.#waiting = [];
      this.#timer = 0;
    }, TOGETHER_MS);
  }
}
