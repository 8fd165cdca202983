/**
 * The connection to the notifications: signed in, kept alive, and going on where it was lost.
 *
 * Events: "state"; "news" with a notification that is new or has changed, those that were missed first;
 * "reload" where too much has changed to be told; "ready" {me, lastId}, after what was missed: who one is, and
 * the last notification there is; "refused" {reason, token} where the server does not take the token.
 *
 * It is live once it is signed in and has what was missed, not when a socket is open: <live-state> can be
 * given it. Messages: docs/protocols/notifications.md.
 */

import { laterId } from "../realtime/ids.js";
import { LiveSocket } from "../realtime/socket.js";
import { Requests } from "./requests.js";

const SIGN_IN = "authentication";
export const LIST = "getMyNotifications";
export const COUNT = "getMyNotificationsCount";
export const MARK = "updateNotifications";
export const SUBSCRIPTION = "subscription";

const PUSH = -1;
const UNAUTHORIZED = 4401;
/** The server has no message for a connection that only looks open: it is asked for a sign of life. */
const PING_MS = 15_000;
/** So many without an answer, and it only looks open. */
const MAX_UNANSWERED = 2;
/** Signing in failed for a reason that may pass. */
const AGAIN_MS = 2_000;
/** What was missed is told in pages; beyond so many of them it is no news any more, only a list. */
const MISSED_PAGE = 100;
const MAX_MISSED_PAGES = 5;

/** Other services may send anything to a subscription: what is no notification is passed over. */
const isNotification = (value) =>
  [value?.id, value?.type, value?.status].every((part) => typeof part === "string");

export class Connection extends EventTarget {
  #token;
  #tokenInUse = "";
  #socket;
  #requests;
  #ready = false;
  #live = false;
  #lastId = "";
  #marked = Promise.resolve();
  #pingTimer = 0;
  #againTimer = 0;
  #unanswered = 0;

  /** As <live-state> reads them; see LiveSocket. */
  since = Date.now();
  wasLive = false;

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
    this.#requests = new Requests((frame) => this.#socket.send(frame));
    this.#socket.addEventListener("state", () => this.#onState());
    this.#socket.addEventListener("message", ({ data }) => this.#hear(JSON.parse(data)));
    document.addEventListener("visibilitychange", () => document.hidden || this.ping());
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

  /** Connect. What came after `lastId` was missed; "" where nothing can have been. */
  start(lastId = this.#lastId) {
    this.#lastId = lastId;
    if (this.#socket.state === "stopped") {
      this.since = Date.now();
      this.wasLive = lastId !== "";
    }
    this.#socket.start();
  }

  /** End it, and know nothing of it: the next to connect may be somebody else. */
  stop() {
    this.#socket.stop();
    this.#requests.end();
    this.#lastId = "";
    this.wasLive = false;
  }

  /**
   * Gives {event, payload} of the answer; throws an Error in the server's words, or that it does not answer.
   * What is `onlyNow` does not wait for a connection.
   */
  async ask(command, options, { onlyNow = false } = {}) {
    if (onlyNow && !this.#ready) throw new Error("There is no connection to the server.");
    if (command === MARK) return this.#mark(options, onlyNow);
    const answer = await this.#requests.put(command, options);
    return command === LIST ? { ...answer, payload: onlyNotifications(answer.payload) } : answer;
  }

  /** One after the other: the server works on several requests at a time, and the last mark is to stay. */
  #mark(options, onlyNow) {
    const turn = this.#marked.then(() => {
      if (onlyNow) return this.#requests.putNow(MARK, options);
      return this.#requests.put(MARK, options);
    });
    this.#marked = turn.catch(() => {});
    return turn;
  }

  #hear(frame) {
    this.#unanswered = 0;
    if (frame.rid !== PUSH) this.#requests.answer(frame);
    else if (frame.status === "reload") this.#tell("reload");
    else if (frame.status === "update" && isNotification(frame.payload)) this.#news(frame.payload);
  }

  #news(notification) {
    this.#lastId = laterId(this.#lastId, notification.id);
    this.#tell("news", notification);
  }

  // --- signing in, and what was missed ----------------------------------------------------------------

  async #signIn() {
    const token = this.#token();
    this.#tokenInUse = token;
    try {
      const { payload } = await this.#requests.putNow(SIGN_IN, { authToken: token });
      await this.#catchUp();
      this.#ready = true;
      this.#pingTimer = setInterval(() => this.#keepAlive(), PING_MS);
      this.#stateChanged();
      this.#tell("ready", { me: payload, lastId: this.#lastId });
      this.#requests.open();
    } catch (error) {
      if (this.#socket.state !== "live") return;
      if (["unauthorized", "forbidden"].includes(error.status)) this.#refused(error.message);
      else this.#againTimer = setTimeout(() => this.#signIn(), AGAIN_MS);
    }
  }

  /** The list of all, from which on everything new is told; and first what came since one was last here. */
  async #catchUp() {
    if (!this.#lastId) {
      const [newest] = await this.#list({ limit: 1 });
      this.#lastId = newest?.id ?? "0";
      return;
    }
    // News that comes meanwhile is later than what was missed.
    let since = this.#lastId;
    for (let page = 0; page < MAX_MISSED_PAGES; page += 1) {
      const missed = await this.#list({ since, limit: MISSED_PAGE });
      missed.forEach((notification) => this.#news(notification));
      if (missed.length < MISSED_PAGE) return;
      since = missed.at(-1).id;
    }
  }

  async #list(params) {
    const { payload } = await this.#requests.putNow(LIST, { where: { types: [] }, params });
    return onlyNotifications(payload);
  }

  #refused(reason) {
    this.#tell("refused", { reason, token: this.#tokenInUse });
  }

  // --- alive? -----------------------------------------------------------------------------------------

  /** Somebody wants to know now. One that is under way will tell: many who ask at once are no outage. */
  ping() {
    if (this.#ready && !this.#unanswered) this.#askForSign();
  }

  #keepAlive() {
    if (this.#unanswered < MAX_UNANSWERED) this.#askForSign();
    else {
      this.#socket.stop();
      this.#socket.start();
    }
  }

  /** Is the server there? To hear no more of nothing is answered without a look at the database. */
  #askForSign() {
    this.#unanswered += 1;
    this.#requests.putNow(SUBSCRIPTION, { ids: [], action: "unsubscribe" }).catch(() => {});
  }

  // --- state ------------------------------------------------------------------------------------------

  #onState() {
    const { state, lastClose } = this.#socket;
    if (state === "live") this.#signIn();
    else this.#lost();
    this.#stateChanged();
    if (state === "stopped" && lastClose?.code === UNAUTHORIZED) this.#refused(lastClose.reason);
  }

  #lost() {
    this.#ready = false;
    this.#unanswered = 0;
    clearInterval(this.#pingTimer);
    clearTimeout(this.#againTimer);
    this.#requests.lost();
  }

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

const onlyNotifications = (payload) => (Array.isArray(payload) ? payload.filter(isNotification) : []);
