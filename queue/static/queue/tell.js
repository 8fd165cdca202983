/**
 * Telling somebody who looks elsewhere that it is their turn: a chime, a notification, a buzz of the phone.
 *
 * Browsers allow each of them only after a press of the button, or not at all. Nothing depends on them.
 */

import { Chime } from "../realtime/chime.js";
import { clearWord, setWord, translate } from "../realtime/words.js";

export class Tell {
  #button;
  #note;
  #chime = null;

  /** @param {HTMLButtonElement} button @param {HTMLElement} note says what will happen */
  constructor(button, note) {
    this.#button = button;
    this.#note = note;
    button.addEventListener("click", () => (this.on ? this.#turnOff() : this.#turnOn()));
  }

  get on() {
    return this.#button.ariaPressed === "true";
  }

  async #turnOn() {
    this.#button.ariaPressed = "true";
    this.#chime ??= new Chime();
    this.#chime.unlock();
    this.#say("tellSound");
    const answer = await ask();
    if (answer && this.on) this.#say(answer === "granted" ? "tellBoth" : "tellBlocked");
  }

  #turnOff() {
    this.#button.ariaPressed = "false";
    clearWord(this.#note);
  }

  #say(word) {
    setWord(this.#note, `wait.${word}`);
  }

  /** It is their turn. */
  now() {
    if (!this.on) return;
    this.#chime.ring();
    // A phone that must not buzz says so by doing nothing.
    navigator.vibrate?.([200, 100, 200]);
    if (document.hidden) this.#notify();
  }

  #notify() {
    if (globalThis.Notification?.permission !== "granted") return;
    try {
      const note = new Notification(translate("wait.in"), { body: translate("wait.inBody"), tag: "foyer.queue" });
      note.addEventListener("click", () => window.focus());
    } catch {
      // Some phones have the word for it and not the thing.
    }
  }
}

/** "granted", "denied" or "default"; "" where there are no notifications, as without HTTPS. */
async function ask() {
  return (await globalThis.Notification?.requestPermission()) ?? "";
}
