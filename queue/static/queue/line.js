/**
 * This browser's place in line, over any number of connections.
 *
 *     joining -> waiting -> in                      `jwt`
 *                        -> refused                 `refusal`: the main server does not take this login
 *                        -> removed                 an operator took the ticket out of the line
 *                        -> replaced                another tab waits now
 *
 * "change" tells of everything that can be seen. A connection that is lost changes no state: the place is
 * kept. In refused, removed and replaced nothing happens until `join`.
 * Protocol: docs/protocols/queue.md.
 */

import { LiveSocket } from "../realtime/socket.js";

const EVENT = { login: 1001, stats: 1002, ticket: 1003, error: 1004 };
const DEVICE = 4;
const REPLACED = 4009;
const UNAVAILABLE = 503;
/** Until the server has said how often it sends its numbers. */
const INTERVAL_MS = 5_000;
/** After a login that nobody could decide: the first pause, and the longest. */
const PAUSE_MS = 4_000;
const MAX_PAUSE_MS = 30_000;
/** A login that failed is spoken of for so long: the next answer comes sooner, unless it is not our turn. */
const TROUBLE_MS = 120_000;

export class Line extends EventTarget {
  #socket;
  #who;
  #healthPath;
  #opened = false;
  /** Attempts in a row that a server refused which is well otherwise. */
  #refused = 0;
  #pauses = 0;
  #timer = 0;
  /** A ticket whose place is not known before the numbers that follow it. */
  #coming = null;
  /** The furthest that the front of the line has come. */
  #front = -Infinity;
  #troubleTimer = 0;

  state = "joining";
  /** {id, position, first, isNew}: `first` were ahead when it was made; `isNew`: an older one was lost. */
  ticket = null;
  /** The numbers of the line, as on the wire; null before the first. */
  stats = null;
  /** When somebody was let in last, as far as this page has seen. */
  movedAt = Date.now();
  /** What stands between the front of the line and the main server: "", "server", "line". */
  trouble = "";
  /** The server answers, and takes no more connections. */
  full = false;
  refusal = null;
  jwt = "";

  /** @param {{socketPath: string, healthPath: string}} page @param {typeof import("./who.js")} who */
  constructor({ socketPath, healthPath }, who) {
    super();
    this.#who = who;
    this.#healthPath = healthPath;
    const url = new URL(socketPath, location.href);
    url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    url.search = new URLSearchParams({ platform: "web", id: who.id, extended: "1" });
    // Three of the server's numbers missing, and a little more: phones lose connections without a word.
    const silenceMs = () => 3 * (this.stats?.intervalMsec ?? INTERVAL_MS) + 5_000;
    this.#socket = new LiveSocket(url, { silenceMs });
    this.#socket.addEventListener("message", ({ data }) => this.#receive(JSON.parse(data)));
    this.#socket.addEventListener("state", () => this.#onState());
  }

  get socket() {
    return this.#socket;
  }

  get live() {
    return this.#socket.state === "live";
  }

  /** How many are in front, and behind. Only with a ticket. */
  get ahead() {
    return Math.max(0, this.ticket.position - this.stats.headPosition);
  }

  get behind() {
    return Math.max(0, this.stats.tailPosition - this.ticket.position);
  }

  /** Get a place, or the one there is; after the end of one, a new one at the end of the line. */
  join() {
    if (this.state !== "joining") this.#become("joining");
    if (this.live) this.#logIn();
    else this.#socket.start();
  }

  #logIn() {
    clearTimeout(this.#timer);
    const eventData = { type: DEVICE, token: this.#who.token, deviceId: this.#who.id };
    this.#socket.send({ eventCode: EVENT.login, eventData });
  }

  #logInLater() {
    clearTimeout(this.#timer);
    const pauseMs = Math.min(MAX_PAUSE_MS, PAUSE_MS * 2 ** this.#pauses);
    this.#pauses += 1;
    // Not everybody at the same moment: what failed for one has failed for many.
    this.#timer = setTimeout(() => this.#logIn(), pauseMs * (0.75 + Math.random() / 2));
  }

  #become(state) {
    clearTimeout(this.#timer);
    this.state = state;
    this.ticket = this.#coming = null;
    clearTimeout(this.#troubleTimer);
    this.trouble = "";
    this.#pauses = 0;
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }

  // --- the connection -----------------------------------------------------------------------------------

  #onState() {
    const { state, lastClose } = this.#socket;
    if (state !== "live") clearTimeout(this.#timer);
    if (state === "connecting") this.#opened = false;
    if (state === "live") {
      this.#opened = true;
      this.#refused = 0;
      this.full = false;
      this.movedAt = Date.now();
      if (["joining", "waiting"].includes(this.state)) this.#logIn();
    }
    // Lost before the server closed it: there is nothing to come back for.
    if (state === "waiting" && this.state === "in") this.#socket.stop();
    else if (state === "waiting" && !this.#opened) this.#askWhy();
    if (state === "stopped" && lastClose?.code === REPLACED) this.#become("replaced");
    else this.#changed();
  }

  /**
   * A browser does not tell why it got no connection; a server that is well otherwise has no room.
   * Once may be one that was just coming back.
   */
  async #askWhy() {
    const well = await fetch(this.#healthPath, { cache: "no-store" }).then(({ ok }) => ok, () => false);
    if (this.live) return;
    this.#refused = well ? this.#refused + 1 : 0;
    this.full = this.#refused > 1;
    this.#changed();
  }

  // --- what the server says -----------------------------------------------------------------------------

  #receive({ eventCode, eventData }) {
    if (eventCode === EVENT.stats) this.#hearStats(eventData);
    else if (eventCode === EVENT.ticket) this.#coming = eventData;
    else if (eventCode === EVENT.login) this.#hearLogin(eventData);
    else if (eventCode === EVENT.error) this.#hearError(eventData);
  }

  #hearStats(stats) {
    if (this.#hasMoved(stats)) this.movedAt = Date.now();
    this.#front = Math.max(this.#front, stats.headPosition);
    this.stats = stats;
    if (this.#coming) this.#takeTicket(this.#coming);
    this.#changed();
  }

  /**
   * Was somebody let in? The front goes back where a login fails, and stands still where its owner is away:
   * then those behind are let in, which the mean wait shows.
   */
  #hasMoved({ headPosition, avgWaitMsec }) {
    if (headPosition > this.#front) return true;
    return headPosition === this.stats?.headPosition && avgWaitMsec !== this.stats.avgWaitMsec;
  }

  #takeTicket({ ticketId: id, position }) {
    this.#coming = null;
    const kept = this.#who.ticket();
    const known = this.ticket?.id === id ? this.ticket : null;
    this.ticket = { id, position, first: 0, isNew: known?.isNew ?? (kept !== null && kept.id !== id) };
    this.ticket.first = Math.max(this.ahead, kept?.id === id ? kept.first : 0);
    this.#who.keepTicket({ id, first: this.ticket.first });
    if (this.trouble === "line") {
      this.trouble = "";
      this.#pauses = 0;
    }
    this.state = "waiting";
  }

  #hearLogin({ jwt, statusCode, message }) {
    if (!jwt && statusCode === UNAVAILABLE) {
      this.#holdOn("server");
      return;
    }
    this.jwt = jwt;
    this.refusal = jwt ? null : { statusCode, message };
    this.#end(jwt ? "in" : "refused");
  }

  #hearError({ code }) {
    if (code === "REMOVED") this.#end("removed");
    else this.#holdOn("line");
  }

  /** The place is kept, and asked for again. */
  #holdOn(trouble) {
    this.trouble = trouble;
    clearTimeout(this.#troubleTimer);
    this.#troubleTimer = setTimeout(() => this.#calmDown(), TROUBLE_MS);
    this.#logInLater();
    this.#changed();
  }

  /** What went wrong was long ago. */
  #calmDown() {
    this.trouble = "";
    this.#pauses = 0;
    this.#changed();
  }

  #end(state) {
    this.#who.forgetTicket();
    this.#become(state);
    // Let in, the server closes, and sees by our answer that the token has come.
    if (state !== "in") this.#socket.stop();
  }
}
