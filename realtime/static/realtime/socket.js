/**
 * A WebSocket that comes back by itself and always knows since when it is live, or is not.
 *
 *     const socket = new LiveSocket(() => addressFor(lastEventID), { silenceMs: 40_000 });
 *     socket.addEventListener("message", (event) => receive(event.data));
 *     socket.addEventListener("state", () => show(socket.state, socket.since));
 *     socket.start();
 *
 * Four states:
 *
 *     connecting  an attempt is under way
 *     live        the connection is open
 *     waiting     lost; the next attempt is at `retryAt`
 *     stopped     not started, stopped by `stop()`, or ended by the server with a code that is final
 *
 * `since` is when the last change between live and not live happened (ms, wall clock): the attempts
 * in between do not move it, so "not live since" stays true however often one fails.
 *
 * Whether a lost connection is worth another attempt is decided by its close code: see CLOSE_CODES.
 * Delays grow exponentially with full jitter, so that clients which were lost together do not come
 * back together, and start over once a connection has been stable. A server that says it restarts
 * (1001, 1012) is tried again within a second. Coming back online or into view tries at once.
 *
 * Going offline closes nothing: the browser's word concerns its network, not our server, which may be
 * on this very machine. A connection that died without a word is found by `silenceMs` instead.
 */

/**
 * Every close code of ours with its meaning, and whether another attempt can help. A code that is not
 * listed, such as a proxy's, is worth one. tests/browser/test_close_codes.py holds this table against
 * realtime/close_codes.py, which is where it is decided.
 */
export const CLOSE_CODES = Object.freeze({
  "1000": { "meaning": "done", "reconnect": false },
  "1001": { "meaning": "the other side is going away", "reconnect": true },
  "1002": { "meaning": "broken WebSocket frame", "reconnect": true },
  "1003": { "meaning": "kind of frame not accepted here", "reconnect": false },
  "1005": { "meaning": "closed without a code", "reconnect": true },
  "1006": { "meaning": "connection lost", "reconnect": true },
  "1007": { "meaning": "text that is not UTF-8", "reconnect": false },
  "1008": { "meaning": "against the rules of this service", "reconnect": false },
  "1009": { "meaning": "message too big", "reconnect": false },
  "1011": { "meaning": "the server failed", "reconnect": true },
  "1012": { "meaning": "the server restarts: come back at once", "reconnect": true },
  "1013": { "meaning": "the server is full: come back later", "reconnect": true },
  "4001": { "meaning": "a frame that the protocol does not have", "reconnect": false },
  "4002": { "meaning": "a heartbeat was not acknowledged", "reconnect": true },
  "4003": { "meaning": "not identified, or not any more", "reconnect": false },
  "4009": { "meaning": "a newer connection has taken over", "reconnect": false },
  "4401": { "meaning": "not signed in, or the token is no longer valid", "reconnect": false },
  "4403": { "meaning": "not permitted, or the permission was revoked", "reconnect": false },
  "4404": { "meaning": "nothing at this address", "reconnect": false },
  "4408": { "meaning": "pings were not answered", "reconnect": true },
  "4410": { "meaning": "the client read too slowly", "reconnect": true }
});

/** Codes of a server that will be back in a moment. */
export const RESTART_CODES = Object.freeze([1001, 1012]);

/** A full server is not asked again at once: as if three attempts had failed already. */
const SERVER_FULL = 1013;

/** Is a connection closed with `code` worth another attempt? */
export function shouldReconnect(code) {
  return CLOSE_CODES[code]?.reconnect ?? true;
}

const DEFAULTS = {
  /** The first delay is drawn from 0 to this; it doubles with each attempt that fails. */
  baseDelayMs: 1_000,
  /** Long enough to spare a server in trouble, short enough that a person will wait for it. */
  maxDelayMs: 30_000,
  /** Where a restarting server is concerned: spread over this, the first time. */
  restartDelayMs: 1_000,
  /** A connection that held this long counts as good: delays start over. */
  stableAfterMs: 10_000,
  /** An attempt with no answer for this long is given up. */
  connectTimeoutMs: 20_000,
  /** Nothing received for this long means the connection is dead; 0 if the server may be silent. May be a
   * function, where what was received says how long that is. */
  silenceMs: 0,
  WebSocket: globalThis.WebSocket,
  random: Math.random,
};

export class LiveSocket extends EventTarget {
  #url;
  #options;
  #socket = null;
  #timers = { retry: 0, stable: 0, silence: 0, connect: 0 };
  #failures = 0;
  #heardAt = 0;

  /** One of connecting, live, waiting, stopped. */
  state = "stopped";
  /** When it last became live, or stopped being it. */
  since = Date.now();
  /** Has it been live at all? */
  wasLive = false;
  /** When the next attempt is made, while waiting; else 0. */
  retryAt = 0;
  /** {code, reason} of the last close, or null. */
  lastClose = null;

  /**
   * @param {string | URL | (() => string | URL)} url a function is asked again for each attempt
   * @param {Partial<typeof DEFAULTS>} [options]
   */
  constructor(url, options = {}) {
    super();
    this.#url = typeof url === "function" ? url : () => url;
    this.#options = { ...DEFAULTS, ...options };
    addEventListener("online", () => this.#wake());
    document.addEventListener("visibilitychange", () => document.hidden || this.#wake());
  }

  /** Connect, now. Does nothing where a connection is up or being made; also ends a wait. */
  start() {
    if (this.#socket) return;
    if (this.state === "stopped") this.#failures = 0;
    this.#connect();
  }

  /** Close and stay closed, until `start()`. */
  stop(code = 1000, reason = "") {
    const socket = this.#abandon();
    this.lastClose = { code, reason };
    this.#enter("stopped");
    socket?.close(code, reason);
  }

  /**
   * Send text, or anything else as JSON. False where it is not live: nothing is queued, since what was
   * meant for one connection is rarely right for the next.
   */
  send(message) {
    // One that is closing does not say so before it is closed.
    if (this.state !== "live" || this.#socket.readyState > WebSocket.OPEN) return false;
    this.#socket.send(typeof message === "string" ? message : JSON.stringify(message));
    return true;
  }

  #connect() {
    this.#abandon();
    let socket;
    try {
      socket = new this.#options.WebSocket(this.#url());
    } catch (error) {
      // The address itself is wrong, or this page may not go there: no attempt will be better.
      this.lastClose = { code: 0, reason: error.message };
      this.#enter("stopped");
      return;
    }
    this.#socket = socket;
    this.#enter("connecting");
    this.#timers.connect = setTimeout(() => this.#giveUp("no answer"), this.#options.connectTimeoutMs);
    socket.onopen = () => this.#opened();
    socket.onmessage = (event) => {
      this.#heardAt = Date.now();
      this.dispatchEvent(new MessageEvent("message", { data: event.data }));
    };
    socket.onclose = (event) => this.#lost(event.code, event.reason);
  }

  #opened() {
    clearTimeout(this.#timers.connect);
    this.#heardAt = Date.now();
    this.#timers.stable = setTimeout(() => (this.#failures = 0), this.#options.stableAfterMs);
    this.#listenForSilence();
    this.#enter("live");
  }

  #lost(code, reason) {
    this.#abandon();
    this.lastClose = { code, reason };
    if (!shouldReconnect(code)) {
      this.#enter("stopped");
      return;
    }
    if (code === SERVER_FULL) this.#failures = Math.max(this.#failures, 3);
    const delay = this.#delay(code);
    this.#failures += 1;
    this.retryAt = Date.now() + delay;
    this.#timers.retry = setTimeout(() => this.#connect(), delay);
    this.#enter("waiting");
  }

  #giveUp(reason) {
    const socket = this.#abandon();
    socket?.close();
    this.#lost(1006, reason);
  }

  #delay(code) {
    const { baseDelayMs, maxDelayMs, restartDelayMs, random } = this.#options;
    if (this.#failures === 0 && RESTART_CODES.includes(code)) return random() * restartDelayMs;
    // 2 ** 20 seconds is past any cap; without the bound it would be Infinity in the end.
    return random() * Math.min(maxDelayMs, baseDelayMs * 2 ** Math.min(this.#failures, 20));
  }

  /** Time may have stood still for this page: look at once, whatever the timers say. */
  #wake() {
    if (this.state === "waiting") this.#connect();
    else if (this.state === "live") this.#checkSilence();
  }

  get #silenceMs() {
    const { silenceMs } = this.#options;
    return typeof silenceMs === "function" ? silenceMs() : silenceMs;
  }

  #listenForSilence() {
    if (!this.#silenceMs) return;
    const quietMs = Date.now() - this.#heardAt;
    this.#timers.silence = setTimeout(() => this.#checkSilence(), this.#silenceMs - quietMs);
  }

  #checkSilence() {
    if (!this.#silenceMs) return;
    clearTimeout(this.#timers.silence);
    if (Date.now() - this.#heardAt >= this.#silenceMs) this.#giveUp("silent for too long");
    else this.#listenForSilence();
  }

  /** Let go of the socket, if there is one, and of every timer. The caller closes it if need be. */
  #abandon() {
    for (const name in this.#timers) clearTimeout(this.#timers[name]);
    this.retryAt = 0;
    const socket = this.#socket;
    this.#socket = null;
    if (socket) socket.onopen = socket.onmessage = socket.onclose = null;
    return socket;
  }

  #enter(state) {
    if ((this.state === "live") !== (state === "live")) this.since = Date.now();
    this.state = state;
    this.wasLive ||= state === "live";
    this.dispatchEvent(new Event("state"));
  }
}
