/**
 * Going in: on to the installation's next page, with the session token in the fragment of its address.
 *
 * A fragment is not sent: it is in no server's log and in no Referer. The token is kept for this tab, so
 * that a reload, or the way back, does not send somebody who is in to the end of the line.
 */

import { setWord } from "../realtime/words.js";

const STORAGE = "foyer.queue.in";
/** Time to read that it is one's turn. */
const PAUSE_MS = 3_000;

const element = (id) => document.getElementById(id);

export class Entry {
  #next;
  #timer = 0;

  /** @param {string} nextUrl "" where the page itself is the end */
  constructor(nextUrl) {
    this.#next = nextUrl;
  }

  /** Somebody was let in with this token: they go on by themselves in a moment, or at once by the button. */
  open(jwt) {
    keep(jwt);
    this.#offer(jwt, this.#next ? "wait.inGoingOn" : "wait.inDone");
    if (this.#next) this.#timer = setTimeout(() => location.replace(element("go-in").href), PAUSE_MS);
  }

  /** After a reload, or on the way back: is somebody in already? Then nobody is sent on against their will. */
  restore() {
    const [{ type } = {}] = performance.getEntriesByType("navigation");
    const jwt = type === "navigate" ? null : kept();
    if (!jwt) {
      this.forget();
      return false;
    }
    this.#offer(jwt, "wait.inAlready");
    element("in-again").hidden = false;
    return true;
  }

  forget() {
    clearTimeout(this.#timer);
    keep(null);
    element("in-again").hidden = true;
  }

  #offer(jwt, word) {
    setWord(element("in-text"), word);
    element("go-in").hidden = !this.#next;
    if (!this.#next) return;
    const url = new URL(this.#next);
    url.hash = `jwt=${encodeURIComponent(jwt)}`;
    element("go-in").href = url;
  }
}

function keep(jwt) {
  try {
    if (jwt) sessionStorage.setItem(STORAGE, jwt);
    else sessionStorage.removeItem(STORAGE);
  } catch {
    // Without storage a reload is a new visit.
  }
}

function kept() {
  try {
    return sessionStorage.getItem(STORAGE);
  } catch {
    return null;
  }
}
