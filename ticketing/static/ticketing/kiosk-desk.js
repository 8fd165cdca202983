/**
 * The kiosk's connection to the desk: names by address, tickets, the state of the line.
 *
 * A ticket that was asked for is kept until the desk has answered, over any number of connections. It is asked
 * for again with the same key, so that however often that is, it makes one ticket.
 * Protocol: docs/protocols/ticketing.md.
 */

import { LiveSocket } from "../realtime/socket.js";

/** The desk says how long the line is every 20 s, if nothing else: two of these missing, and half of one more. */
const SILENCE_MS = 50_000;
/** Longer, and a visitor would type the name faster than it is found. */
const NAME_TIMEOUT_MS = 3_000;
/** A connection that gave no answer for this long is given up for a new one. */
const TICKET_TIMEOUT_MS = 10_000;
/** What the server says while its database is away. */
const UNAVAILABLE = "not available now. please try again";
/** The desk's database is away: it will not be back in the next moment. */
const UNAVAILABLE_RETRY_MS = 3_000;
/** After the desk has ended the connection for good, or so it says. */
const ASK_AGAIN_MS = 30_000;
/** Close codes that mean: not this device (realtime/close_codes.py). */
const NOT_LET_IN = [4401, 4403];

/** Why no ticket was made: `reason` is what the desk said. */
export class Refusal extends Error {
  constructor(reason) {
    super(reason);
    this.reason = reason;
  }
}

/**
 * Tells of changes of the connection ("state") and of the line ("line").
 */
export class Desk extends EventTarget {
  #socket;
  /** Those who wait for a name, in the order in which they asked. Answers come in the same order. */
  #asked = [];
  /** The ticket that was asked for and has not come: {key, line, resolve, reject, sent}. */
  #pending = null;
  #timer = 0;
  /** What the desk said about the ticket whose `success` follows. */
  #details = null;
  /** The desk lets this kiosk in no more. */
  refused = false;
  /** {waiting, estimate_s} for somebody who comes now; null while unknown. */
  line = null;

  constructor(path) {
    super();
    const address = () => {
      const url = new URL(path, location.href);
      url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
      url.searchParams.set("extended", "1");
      return url;
    };
    this.#socket = new LiveSocket(address, { silenceMs: SILENCE_MS });
    this.#socket.addEventListener("message", ({ data }) => this.#receive(data));
    let before = this.#socket.state;
    this.#socket.addEventListener("state", () => {
      this.#changed(before);
      before = this.#socket.state;
    });
  }

  /** For <live-state>. */
  get socket() {
    return this.#socket;
  }

  get live() {
    return this.#socket.state === "live";
  }

  start() {
    this.#socket.start();
  }

  /**
   * The name that somebody with this address had at the last visit: "" where there was none, null where
   * nobody can say now.
   */
  findName(email) {
    if (!this.#socket.send(`query ${email}`)) return Promise.resolve(null);
    return new Promise((resolve) => {
      this.#asked.push(resolve);
      setTimeout(resolve, NAME_TIMEOUT_MS, null);
    });
  }

  /**
   * Take a ticket. The promise is kept when there is one, however long the connection is away; `forget` gives
   * it up.
   *
   * @returns {Promise<{label: string, ahead: number, estimateS: number | null, at: number}>}
   * @throws {Refusal}
   */
  takeTicket({ email, name }) {
    this.forget();
    return new Promise((resolve, reject) => {
      this.#pending = { line: `once ${newKey()} new ${email} ${name}`, resolve, reject, sent: false };
      this.#sendPending();
    });
  }

  /** Nobody waits for the ticket any more. One that may be on its way must not be given to the next person. */
  forget() {
    const sent = this.#pending?.sent;
    this.#settle();
    if (sent) this.#reconnect();
  }

  #settle() {
    clearTimeout(this.#timer);
    const pending = this.#pending;
    this.#pending = null;
    this.#details = null;
    return pending;
  }

  #sendPending() {
    clearTimeout(this.#timer);
    if (!this.#pending || !this.#socket.send(this.#pending.line)) return;
    this.#pending.sent = true;
    this.#timer = setTimeout(() => this.#reconnect(), TICKET_TIMEOUT_MS);
  }

  /** A new connection knows nothing of what was asked on the old one. */
  #reconnect() {
    this.#socket.stop(1000, "no answer");
    this.#socket.start();
  }

  #changed(before) {
    const { state } = this.#socket;
    if (state !== "live") {
      this.line = null;
      for (const resolve of this.#asked.splice(0)) resolve(null);
      clearTimeout(this.#timer);
    } else {
      this.refused = false;
      this.#sendPending();
    }
    if (state === "waiting" && before === "connecting") this.#askWhetherWelcome();
    // A kiosk stands by itself: nobody would press a button to connect it again.
    if (state === "stopped" && this.#socket.lastClose.code !== 1000) {
      this.refused = NOT_LET_IN.includes(this.#socket.lastClose.code);
      setTimeout(() => this.start(), ASK_AGAIN_MS);
    }
    this.dispatchEvent(new Event("state"));
  }

  /** A browser does not say why a handshake failed. This page, asked for again, tells whether it is let in. */
  async #askWhetherWelcome() {
    const response = await fetch(location.pathname, { method: "HEAD", cache: "no-store" }).catch(() => null);
    if (this.live) return;
    this.refused = response?.status === 401 || response?.status === 403;
    this.dispatchEvent(new Event("state"));
  }

  #receive(text) {
    const [verb, rest] = split(text);
    if (verb === "line") {
      this.line = JSON.parse(rest);
      this.dispatchEvent(new Event("line"));
    } else if (verb === "ticket") {
      this.#details = JSON.parse(rest);
    } else if (verb === "success" || verb === "error") {
      this.#answered(verb, ...split(rest));
    }
    // Other lines are a later version's: not this page's business.
  }

  #answered(outcome, verb, rest) {
    if (verb === "query") {
      const name = outcome === "success" ? rest : rest === "visitor email does not exist" ? "" : null;
      this.#asked.shift()?.(name);
    } else if (outcome === "success" && verb === "new") {
      const details = this.#details;
      const ticket = JSON.parse(rest);
      this.#settle()?.resolve({
        label: details?.label ?? String(ticket.id),
        ahead: details?.ahead ?? 0,
        estimateS: details?.estimate_s ?? null,
        at: Date.parse(ticket.start),
      });
    } else if (outcome === "error" && rest === UNAVAILABLE) {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#sendPending(), UNAVAILABLE_RETRY_MS);
    } else if (outcome === "error") {
      this.#settle()?.reject(new Refusal(rest));
    }
  }
}

/** The first word, and all the rest. */
function split(text) {
  const space = text.indexOf(" ");
  return space < 0 ? [text, ""] : [text.slice(0, space), text.slice(space + 1)];
}

/** A name for one request that no other has. (`randomUUID` is not there over plain HTTP.) */
function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
