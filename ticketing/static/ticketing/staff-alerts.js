/**
 * What reaches a clerk who looks elsewhere: the number in the window's title, a soft sound, an announcement.
 *
 * A busy line would never be silent: sounds keep a distance, and new visitors are announced together. Only
 * who comes to an empty line is worth a toast.
 */

import { announce, toast } from "../realtime/notice.js";
import { translate } from "./words.js";

const STORAGE = "foyer.ticketing.staff-sound";
const ANNOUNCE_MS = 5_000;
const SOUND_EVERY_MS = 3_000;
/** Two soft notes, in Hz and seconds. */
const NOTES = [
  [660, 0],
  [880, 0.14],
];
const NOTE_S = 0.35;
const VOLUME = 0.06;

const element = (id) => document.getElementById(id);

export class Alerts {
  #switch = element("sound");
  #audio = null;
  #soundAt = 0;
  #unannounced = [];
  #timer = 0;

  constructor() {
    this.#switch.checked = localStorage.getItem(STORAGE) === "on";
    this.#switch.addEventListener("change", () => {
      localStorage.setItem(STORAGE, this.#switch.checked ? "on" : "off");
      this.#soundAt = 0;
      this.#play();
    });
  }

  /** The window's title: how many wait, and where. */
  title(waiting, place) {
    const words = [translate("staff.title"), place].filter(Boolean).join(" – ");
    document.title = waiting ? `(${waiting}) ${words}` : words;
  }

  /** Somebody waits who did not a moment ago. */
  arrived(ticket, { isFirst }) {
    this.#play();
    if (isFirst) toast(translate("staff.arrived", { label: ticket.label, name: ticket.name }));
    else this.#announceSoon(ticket);
  }

  /** A visitor was handed to this table by somebody else. */
  handed(ticket, by) {
    this.#play();
    toast(translate("staff.handed", { label: ticket.label, name: ticket.name, by }));
  }

  #announceSoon(ticket) {
    this.#unannounced.push(ticket);
    this.#timer ||= setTimeout(() => {
      const [{ label, name }, ...others] = this.#unannounced;
      const count = others.length + 1;
      announce(count === 1 ? translate("staff.arrived", { label, name }) : translate("staff.arrivals", { count }));
      this.#unannounced = [];
      this.#timer = 0;
    }, ANNOUNCE_MS);
  }

  /** Browsers allow sound once somebody has used the page; before that there is none, and no complaint. */
  #play() {
    if (!this.#switch.checked || !navigator.userActivation?.hasBeenActive) return;
    if (Date.now() - this.#soundAt < SOUND_EVERY_MS) return;
    this.#soundAt = Date.now();
    this.#audio ??= new AudioContext();
    this.#audio.resume();
    for (const [frequency, after] of NOTES) this.#note(frequency, this.#audio.currentTime + after);
  }

  #note(frequency, at) {
    const tone = new OscillatorNode(this.#audio, { frequency });
    const volume = new GainNode(this.#audio, { gain: 0 });
    volume.gain.setValueAtTime(0, at);
    volume.gain.linearRampToValueAtTime(VOLUME, at + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.0001, at + NOTE_S);
    tone.connect(volume).connect(this.#audio.destination);
    tone.start(at);
    tone.stop(at + NOTE_S);
  }
}
