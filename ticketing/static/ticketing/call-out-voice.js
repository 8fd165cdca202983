/**
 * Speaks a sentence by the browser's own voices (Web Speech), and always comes to an end.
 *
 * Engines differ in what they tell: some never fire `end`, some lose an utterance without a word, some have
 * no voice at all. So each sentence has as long as it takes to say, generously, and then counts as said.
 */

/** What the slowest voices take, and what network voices need to begin. */
const MS_PER_LETTER = 140;
const MS_TO_BEGIN = 4_000;
/** An engine that lists no voice and has not begun by now has none. */
const MS_TO_BEGIN_WITHOUT_VOICES = 2_000;

export class Voice {
  #engine;
  #Utterance;
  /** Kept: Chromium forgets to fire `end` for an utterance that was garbage collected. */
  #current = null;

  constructor(engine = globalThis.speechSynthesis, Utterance = globalThis.SpeechSynthesisUtterance) {
    this.#engine = Utterance && engine;
    this.#Utterance = Utterance;
    // The first question makes some browsers load their list.
    this.#voices();
  }

  /**
   * Can a language be spoken here? Unknown counts as yes: on some devices the list of voices stays empty
   * although they speak. Where there are voices, but none for the language, another's would garble it.
   */
  speaks(language) {
    if (!this.#engine) return false;
    const voices = this.#voices();
    return !voices.length || voices.some((voice) => sameLanguage(voice.lang, language));
  }

  /**
   * Say `sentence`. Resolves at its end, to "said", to "blocked" where the browser wants somebody to touch
   * the page first, or to "unheard" where there is no voice for it. Never rejects.
   */
  say(sentence, language) {
    if (!this.speaks(language)) return Promise.resolve("unheard");
    return new Promise((resolve) => this.#say(sentence, language, resolve));
  }

  #say(sentence, language, resolve) {
    const utterance = new this.#Utterance(sentence);
    this.#current = utterance;
    const timers = [];
    const end = (how) => {
      timers.forEach(clearTimeout);
      if (this.#current === utterance) this.#current = null;
      utterance.onstart = utterance.onend = utterance.onerror = null;
      resolve(how);
    };
    const giveUp = (how) => {
      this.#engine.cancel();
      end(how);
    };
    utterance.lang = language;
    this.#choose(utterance, language);
    utterance.onend = () => end("said");
    utterance.onerror = ({ error }) => end(error === "not-allowed" ? "blocked" : "unheard");
    timers.push(setTimeout(() => giveUp("said"), MS_TO_BEGIN + sentence.length * MS_PER_LETTER));
    if (!this.#voices().length) {
      const silent = setTimeout(() => giveUp("unheard"), MS_TO_BEGIN_WITHOUT_VOICES);
      timers.push(silent);
      utterance.onstart = () => clearTimeout(silent);
    }
    // Whatever another sentence left behind must not hold up this one.
    if (this.#engine.speaking || this.#engine.pending) this.#engine.cancel();
    if (this.#engine.paused) this.#engine.resume();
    this.#engine.speak(utterance);
  }

  /** A voice of this device before one of the network, which may be away. */
  #choose(utterance, language) {
    const fitting = this.#voices().filter((voice) => sameLanguage(voice.lang, language));
    const voice = fitting.find((one) => one.localService) ?? fitting[0];
    if (!voice) return;
    utterance.lang = voice.lang;
    utterance.voice = voice;
  }

  #voices() {
    return this.#engine?.getVoices?.() ?? [];
  }
}

/** "de-AT", and "de_DE" as some systems write it, are German. */
function sameLanguage(tag, language) {
  return tag.toLowerCase().split(/[-_]/)[0] === language.toLowerCase().split("-")[0];
}
