/**
 * Everything that is heard of a call: the chime, then the sentence in each language.
 *
 *     const sound = new Sound();
 *     sound.addEventListener("change", () => show(sound.state));
 *     await sound.play([{ text: "A-017, please go to Counter 3", language: "en" }]);
 *
 * `state` is "on", "off" (somebody turned it off; remembered) or "blocked": the browser is silent until
 * somebody touches the page. Any touch or key then turns it on.
 */

import { Chime } from "../realtime/chime.js";
import { Voice } from "./call-out-voice.js";

const STORAGE = "foyer.ticketing.display.sound";
const GESTURES = ["pointerup", "keydown", "touchend"];
/** Elements marked so turn sound on and off themselves: what they do must not be done before they do it. */
const ownControl = ({ target }) => target instanceof Element && target.closest("[data-sound]");

export class Sound extends EventTarget {
  #chime;
  #voice;
  #wanted = localStorage.getItem(STORAGE) !== "off";
  #voiceBlocked = false;

  constructor({ chime = new Chime(), voice = new Voice() } = {}) {
    super();
    this.#chime = chime;
    this.#voice = voice;
    chime.addEventListener("change", () => this.#changed());
    for (const gesture of GESTURES) {
      addEventListener(gesture, (event) => ownControl(event) || this.#touched(), { passive: true });
    }
  }

  get state() {
    if (!this.#wanted) return "off";
    return this.#chime.ready && !this.#voiceBlocked ? "on" : "blocked";
  }

  /** Can the language be spoken on this device, as far as it tells? */
  speaks(language) {
    return this.#voice.speaks(language);
  }

  /** Turn it on, in answer to a click or a key, and let it be heard. */
  async turnOn() {
    this.#want(true);
    await this.#touched();
    this.#chime.ring();
  }

  turnOff() {
    this.#want(false);
  }

  /** Chime and sentences, one after another; at once where there is no sound. Never rejects. */
  async play(sentences) {
    // A browser that is silent until it is touched would only complain of each attempt.
    if (this.state !== "on") return;
    await this.#chime.ring();
    for (const { text, language } of sentences) {
      // It may have been turned off between two languages.
      if (!this.#wanted) return;
      const how = await this.#voice.say(text, language);
      if (how === "blocked" && !this.#voiceBlocked) {
        this.#voiceBlocked = true;
        this.#changed();
      }
    }
  }

  async #touched() {
    this.#voiceBlocked = false;
    this.#changed();
    if (!this.#chime.ready) await this.#chime.unlock();
  }

  #want(wanted) {
    this.#wanted = wanted;
    if (wanted) localStorage.removeItem(STORAGE);
    else localStorage.setItem(STORAGE, "off");
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}
