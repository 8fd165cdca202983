/**
 * One's connection to the gateway: identified, kept alive, and going on where it was lost.
 *
 * Events: "state"; "latency"; "ready" {user, resumed}, after which come the messages since the last one it had
 * if it has resumed, and everything that is posted from then on; "message" with a message; "gap" where more
 * was missed than is told; "refused" with the reason, for a token that is not valid.
 *
 * It is live once the server has said Ready, not when a socket is open: <live-state> can be given it.
 */

import { laterId } from "../realtime/ids.js";
import { LiveSocket } from "../realtime/socket.js";

const [HELLO, IDENTIFY, READY, MESSAGE, GAP, HEARTBEAT, HEARTBEAT_ACK] = [0, 1, 2, 3, 4, 10, 11];
const NOT_IDENTIFIED = 4003;
/** How often the latency is looked at. */
const BEAT_MS = 10_000;
/** So many heartbeats without an answer, and the connection only looks open. */
const MAX_UNANSWERED = 3;

export class Connection extends EventTarget {
  #socket;
  #token;
  #ready = false;
  #lastId = "";
  #beatTimer = 0;
  /** `time` of the heartbeat that is to be answered, and how many went out since the last answer. */
  #beat = { time: 0, sentAt: 0, unanswered: 0 };

  /** As <live-state> reads them; see LiveSocket. */
  since = Date.now();
  wasLive = false;
  /** In ms; null while it is not known. */
  latencyMs = null;

  /**
   * @param {string} path of the socket
   * @param {() => string} token asked for with each attempt
   */
  constructor(path, token) {
    super();
    this.#token = token;
    const url = new URL(path, location.origin);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    this.#socket = new LiveSocket(url);
    this.#socket.addEventListener("state", () => this.#onState());
    this.#socket.addEventListener("message", ({ data }) => this.#hear(JSON.parse(data)));
  }

  get state() {
    const { state } = this.#socket;
    return state === "live" && !this.#ready ? "connecting" : state;
  }

  get retryAt() {
    return this.#socket.retryAt;
  }

  /** Nothing to come back from for who is signed out. */
  get lastClose() {
    return this.#token() ? this.#socket.lastClose : null;
  }

  start() {
    this.#socket.start();
  }

  /** End it, and know nothing of it: the next to connect may be somebody else. */
  stop() {
    this.#lastId = "";
    this.#ready = this.wasLive = false;
    this.#socket.stop();
  }

  #hear(frame) {
    switch (frame.op) {
      case HELLO:
        this.#send(IDENTIFY, { token: this.#token(), ...(this.#lastId && { after: this.#lastId }) });
        break;
      case READY:
        this.#ready = true;
        this.#stateChanged();
        this.#startBeating();
        this.#tell("ready", { user: frame.user, resumed: this.#lastId !== "" });
        break;
      case MESSAGE:
        this.#lastId = laterId(this.#lastId, frame.message.id);
        this.#tell("message", frame.message);
        break;
      case GAP:
        this.#tell("gap");
        break;
      case HEARTBEAT:
        this.#send(HEARTBEAT_ACK, { time: frame.time });
        break;
      case HEARTBEAT_ACK:
        this.#answered(frame.time);
    }
  }

  #send(op, fields) {
    return this.#socket.send({ op, ...fields });
  }

  // --- alive? -----------------------------------------------------------------------------------------

  #startBeating() {
    clearInterval(this.#beatTimer);
    this.#beat = { time: 0, sentAt: 0, unanswered: 0 };
    this.#beatTimer = setInterval(() => this.#sendBeat(), BEAT_MS);
    this.#sendBeat();
  }

  #sendBeat() {
    if (this.#beat.unanswered >= MAX_UNANSWERED) {
      this.#socket.stop();
      this.#socket.start();
      return;
    }
    if (this.#beat.unanswered) this.#setLatency(performance.now() - this.#beat.sentAt);
    else this.#beat = { ...this.#beat, time: Date.now(), sentAt: performance.now() };
    // While one is unanswered the same is asked again: an answer tells how long it took since the first.
    this.#beat.unanswered += 1;
    this.#send(HEARTBEAT, { time: this.#beat.time });
  }

  #answered(time) {
    if (time !== this.#beat.time || !this.#beat.unanswered) return;
    this.#beat.unanswered = 0;
    this.#setLatency(performance.now() - this.#beat.sentAt);
  }

  #setLatency(latencyMs) {
    this.latencyMs = latencyMs;
    this.#tell("latency");
  }

  // --- state --------------------------------------------------------------------------------------------

  #onState() {
    if (this.#socket.state !== "live") {
      this.#ready = false;
      clearInterval(this.#beatTimer);
      if (this.latencyMs !== null) this.#setLatency(null);
    }
    this.#stateChanged();
    const { state, lastClose } = this.#socket;
    if (state === "stopped" && lastClose?.code === NOT_IDENTIFIED) this.#tell("refused", lastClose.reason);
  }

  #live = false;

  #stateChanged() {
    const live = this.state === "live";
    if (live !== this.#live) this.since = Date.now();
    this.#live = live;
    this.wasLive ||= live;
    this.#tell("state");
  }

  #tell(type, detail = null) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
