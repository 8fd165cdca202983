/**
 * <live-state>: says whether the page is live, and since when it is not.
 *
 *     <live-state></live-state>            document.querySelector("live-state").socket = liveSocket;
 *
 * Anything with `state`, `since`, `retryAt`, `wasLive`, `lastClose`, `start()` and "state" events will
 * do as a socket. A screen reader hears each change once; the seconds that count down are for the eye.
 * Replace entries of `texts` to say it in another language or in a visitor's words.
 */

import { CLOSE_CODES } from "./socket.js";
import { clockTime } from "./time.js";

const TEXTS = {
  connecting: () => "Connecting…",
  live: (time) => `Live since ${time}`,
  notLive: (time) => `Not live since ${time}`,
  neverLive: () => "Not live",
  tryingAgain: () => "trying again…",
  tryingIn: (seconds) => `trying again in ${seconds} s`,
  offline: () => "this device is offline",
  ended: ({ code, reason }) => reason || CLOSE_CODES[code]?.meaning || "the connection was ended",
  tryNow: "Try now",
  connectAgain: "Connect again",
};

class LiveState extends HTMLElement {
  texts = { ...TEXTS };
  #socket = null;
  #ticker = 0;
  #status = Object.assign(document.createElement("span"), { role: "status" });
  #more = Object.assign(document.createElement("span"), { className: "live-state__more" });
  #button = Object.assign(document.createElement("button"), {
    type: "button",
    className: "button button--quiet button--small",
    hidden: true,
  });
  #show = () => this.#render();

  connectedCallback() {
    if (this.#status.isConnected) return;
    this.replaceChildren(this.#status, this.#more, this.#button);
    this.#button.addEventListener("click", () => this.#socket?.start());
    addEventListener("offline", this.#show);
    addEventListener("online", this.#show);
    this.#render();
  }

  set socket(socket) {
    this.#socket?.removeEventListener("state", this.#show);
    this.#socket = socket;
    socket.addEventListener("state", this.#show);
    this.#render();
  }

  get socket() {
    return this.#socket;
  }

  #render() {
    const { state = "connecting", wasLive = false, since = 0, lastClose = null } = this.#socket ?? {};
    this.setAttribute("state", state);
    this.toggleAttribute("was-live", wasLive);
    clearInterval(this.#ticker);
    this.#say(this.#sentence(state, wasLive, since));
    this.#more.textContent = "";
    // The seconds are not announced: a sentence every second would drown everything else.
    this.#more.ariaHidden = state === "waiting" ? "true" : null;
    if (state === "connecting" && wasLive) this.#more.textContent = `– ${this.texts.tryingAgain()}`;
    if (state === "stopped" && lastClose) this.#more.textContent = `– ${this.texts.ended(lastClose)}`;
    if (state === "waiting") {
      this.#count();
      this.#ticker = setInterval(() => this.#count(), 1000);
    }
    this.#offer(state, lastClose);
  }

  #sentence(state, wasLive, since) {
    if (state === "live") return this.texts.live(clockTime(since));
    if (wasLive) return this.texts.notLive(clockTime(since));
    return state === "connecting" ? this.texts.connecting() : this.texts.neverLive();
  }

  /** An unchanged sentence is left alone: writing it again would announce it again. */
  #say(sentence) {
    if (this.#status.textContent !== sentence) this.#status.textContent = sentence;
  }

  #count() {
    const seconds = Math.max(1, Math.ceil((this.#socket.retryAt - Date.now()) / 1000));
    const offline = navigator.onLine ? "" : `${this.texts.offline()}, `;
    this.#more.textContent = `– ${offline}${this.texts.tryingIn(seconds)}`;
  }

  /** The button keeps its focus through an attempt: it is only hidden once there is nothing to try. */
  #offer(state, lastClose) {
    const { tryNow, connectAgain } = this.texts;
    if (state === "waiting" || state === "stopped") {
      this.#button.textContent = state === "waiting" ? tryNow : connectAgain;
      this.#button.hidden = state === "stopped" && !lastClose;
    } else if (state === "live") {
      this.#button.hidden = true;
    }
  }
}

customElements.define("live-state", LiveState);
