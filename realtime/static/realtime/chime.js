/**
 * A chime of two notes before something that must not be missed, made by Web Audio: no file to load, none to license.
 *
 * Browsers are silent until somebody has touched the page, unless they were started or set up to allow
 * sound. `ready` says which of the two it is; "change" tells when that changes.
 */

/** A falling third, the interval of doorbells. Hz, and seconds after the start. */
const NOTES = [
  { frequency: 659.26, at: 0 },
  { frequency: 523.25, at: 0.45 },
];
/** How long a note rings. */
const RING_S = 1.1;
/** Loud enough for a waiting room at the volume that suits speech, far from clipping with both notes. */
const LOUDNESS = 0.35;
/** Speech begins while the last note dies away. */
const LENGTH_MS = 1_300;

export class Chime extends EventTarget {
  #context;

  constructor(AudioContext = globalThis.AudioContext) {
    super();
    if (!AudioContext) return;
    this.#context = new AudioContext();
    this.#context.addEventListener("statechange", () => this.dispatchEvent(new Event("change")));
  }

  /** Would it be heard? True where there is no Web Audio: then no touch would change anything. */
  get ready() {
    return !this.#context || this.#context.state === "running";
  }

  /** Ask the browser for sound: it agrees while it handles a click or a key. Until then this does not end. */
  async unlock() {
    await this.#context?.resume();
  }

  /** Ring, if that is possible. The promise ends when it is time to speak. */
  async ring() {
    if (!this.#context || !this.ready) return;
    for (const note of NOTES) this.#play(note);
    // Not by the end of the notes: a sound device that was unplugged never gets there.
    await new Promise((resolve) => setTimeout(resolve, LENGTH_MS));
  }

  #play({ frequency, at }) {
    const start = this.#context.currentTime + at;
    // The octave above makes a bell of what would be a test tone.
    for (const [multiple, share] of [[1, 0.8], [2, 0.2]]) {
      const tone = new OscillatorNode(this.#context, { frequency: frequency * multiple });
      const loudness = new GainNode(this.#context, { gain: 0 });
      // Not from nothing and not to nothing: a jump clicks, and an exponential never gets to zero.
      loudness.gain.setValueAtTime(0.0001, start);
      loudness.gain.exponentialRampToValueAtTime(LOUDNESS * share, start + 0.015);
      loudness.gain.exponentialRampToValueAtTime(0.0001, start + RING_S);
      tone.connect(loudness).connect(this.#context.destination);
      tone.start(start);
      tone.stop(start + RING_S);
    }
  }
}
