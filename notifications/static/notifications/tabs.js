/**
 * The connection as every tab has it, though only one tab of the browser holds it.
 *
 * One tab leads. The others send it what they ask, and hear from it all that it hears. When it is closed the
 * next one connects, and goes on after the last notification that it has heard of.
 *
 * What a tab shows is always the list and all news since. Of one leader it hears all, in order: from "here" on,
 * with which a leader begins and answers a "hello". It hears one leader at a time; where another may have told
 * something already, the list is fetched again. What comes from any other than the one it knows is passed over,
 * and has it ask who leads: for a moment two tabs may believe that they do.
 *
 * Events: "state"; "change" where who one is, or what is unread, has changed; "news" {notification, isNew},
 * "reload", "ready", "marked" and "refused", see leader.js.
 */

import { compareIds, laterId } from "../realtime/ids.js";
import { ALL } from "./counts.js";
import { Leader } from "./leader.js";
import { Leadership } from "./leadership.js";

/** Of the lock and of the channel, and the token after it: who signs in hears nothing of the user before. */
const NAME = "foyer.notifications";
/** A leader that is there answers at once, also from the background. */
const LEADER_PATIENCE_MS = 1_500;
/** It is asked so often: the first time it may have been this tab that was busy. */
const MAX_HAILS = 2;
/** A leader that is frozen does not say so: whoever looks at a tab finds out. */
const LOOK_MS = 15_000;
/** Longer than the leader itself waits for an answer. */
const PATIENCE_MS = 10_000;

const NO_CONNECTION = "There is no connection to the server.";
const NOT_CONNECTED = { state: "stopped", since: 0, wasLive: false, retryAt: 0, lastClose: null };

export class SharedConnection extends EventTarget {
  #id = Math.random().toString(36).slice(2);
  #leadership = new Leadership(() => this.#lead(), () => this.#stepDown());
  #leader;
  #token;
  #leads = false;
  /** "" while nobody is known to lead. */
  #leaderId = "";
  #missing = 0;
  #looking = 0;
  #channel = null;
  /** Requests of this tab without an answer, by number. */
  #asked = new Map();
  #number = 0;
  #lastId = "";
  /** Has it heard a leader? Then it has missed what another one has told before it hears that one. */
  #hasHeard = false;
  /** Who one is, as the server says; null until it has. */
  me = null;
  /** By type; see counts.js. */
  unread = new Map([[ALL, null]]);

  /**
   * @param {string} path of the socket
   * @param {() => string} token asked for with each attempt
   */
  constructor(path, token) {
    super();
    Object.assign(this, NOT_CONNECTED);
    this.#token = token;
    this.#leader = new Leader({ path, token, tell: (type, detail) => this.#tell(type, detail) });
    document.addEventListener("visibilitychange", () => document.hidden || this.#hail());
  }

  /** Be connected, with the others. */
  enter() {
    this.leave();
    Object.assign(this, { state: "connecting", since: Date.now() });
    const name = `${NAME}:${this.#token()}`;
    if (this.#leadership.isShared) {
      this.#channel = new BroadcastChannel(name);
      this.#channel.onmessage = ({ data }) => this.#hear(data);
      this.#looking = setInterval(() => document.hidden || this.#leads || this.#hail(), LOOK_MS);
    }
    this.#leadership.enter(name);
    this.#hail();
  }

  /** Know nothing of it any more: the next may be somebody else. */
  leave() {
    this.#leadership.leave();
    this.#stepDown();
    this.#channel?.close();
    this.#channel = null;
    clearTimeout(this.#missing);
    clearInterval(this.#looking);
    for (const number of this.#asked.keys()) this.#answered({ number, problem: "You are signed out." });
    this.#lastId = this.#leaderId = "";
    this.#hasHeard = false;
    this.me = null;
    this.unread = new Map([[ALL, null]]);
    Object.assign(this, NOT_CONNECTED);
    this.#dispatch("state");
    this.#dispatch("change");
  }

  /** Do not wait for the next attempt, as <live-state> asks for. */
  start() {
    if (this.#leads) this.#leader.tryNow();
    else this.#post({ kind: "try" });
  }

  /**
   * Gives the payload of the answer; throws an Error in words. `types` are those of what is marked; what is
   * `onlyNow` is done on the connection there is, or not at all.
   */
  ask(command, options, { types = [], onlyNow = false } = {}) {
    const request = { command, options, types, onlyNow };
    this.#number += 1;
    const number = this.#number;
    return new Promise((resolve, reject) => {
      const patience = setTimeout(() => this.#answered({ number, problem: NO_CONNECTION }), PATIENCE_MS);
      this.#asked.set(number, { request, resolve, reject, patience });
      this.#pass(number, request);
    });
  }

  // --- who leads ----------------------------------------------------------------------------------------

  #lead() {
    if (this.#leads) return;
    this.#leads = this.#hasHeard = true;
    this.#leaderId = this.#id;
    clearTimeout(this.#missing);
    this.#leader.start({ lastId: this.#lastId, counts: this.unread });
    this.#post(this.#here);
    this.#passAll();
  }

  #stepDown() {
    if (!this.#leads) return;
    this.#leads = false;
    this.#leaderId = "";
    this.#leader.stop();
    this.#hail();
  }

  /** Is there one who leads, and who? Where nobody answers, this tab does. */
  #hail(hails = 1) {
    if (this.#leads) this.#leader.check();
    else if (this.#channel) {
      this.#post({ kind: "hello" });
      clearTimeout(this.#missing);
      this.#missing = setTimeout(() => {
        if (hails < MAX_HAILS) this.#hail(hails + 1);
        else this.#leadership.steal();
      }, LEADER_PATIENCE_MS);
    }
  }

  get #here() {
    const { me, unread } = this;
    return { kind: "here", leader: this.#id, state: this.#leader.state, me, unread, lastId: this.#lastId };
  }

  // --- between the tabs -----------------------------------------------------------------------------------

  #post(message) {
    this.#channel?.postMessage(message);
  }

  /** To another leader than the one who was asked. */
  #passAll() {
    for (const [number, { request }] of this.#asked) {
      if (request.onlyNow) this.#answered({ number, problem: NO_CONNECTION });
      else this.#pass(number, request);
    }
  }

  async #pass(number, request) {
    if (!this.#leads) {
      const [from, to] = [this.#id, this.#leaderId];
      if (to) this.#post({ kind: "ask", from, to, number, request });
      return;
    }
    const answer = await this.#askLeader(request);
    if (answer) this.#answered({ number, ...answer });
  }

  /** Null where this tab leads no more: whoever does now is asked. */
  async #askLeader(request) {
    let answer;
    try {
      answer = { payload: await this.#leader.ask(request) };
    } catch (error) {
      answer = { problem: error.message };
    }
    return this.#leads ? answer : null;
  }

  #answered({ number, payload, problem }) {
    const asked = this.#asked.get(number);
    if (!asked) return;
    this.#asked.delete(number);
    clearTimeout(asked.patience);
    if (problem === undefined) asked.resolve(payload);
    else asked.reject(new Error(problem));
  }

  #hear(message) {
    if (this.#leads) this.#hearFollower(message);
    else this.#hearLeader(message);
  }

  async #hearFollower({ kind, from, to, number, request }) {
    if (kind === "hello") {
      this.#post(this.#here);
      this.#leader.check();
    } else if (kind === "try") {
      this.#leader.tryNow();
    } else if (kind === "ask" && to === this.#id) {
      const answer = await this.#askLeader(request);
      if (answer) this.#post({ kind: "answer", leader: this.#id, to: from, number, ...answer });
    }
  }

  #hearLeader(message) {
    const { kind, leader, to, type, detail } = message;
    if (!["here", "told", "answer"].includes(kind)) return;
    clearTimeout(this.#missing);
    if (kind === "here") this.#meet(message);
    else if (leader !== this.#leaderId) this.#hail();
    else if (kind === "told") this.#apply(type, detail);
    else if (to === this.#id) this.#answered(message);
  }

  /**
   * A leader says how things are. What was asked of one before has no answer: it is asked again. One that is
   * not live yet has told nothing, and is "ready" later.
   */
  #meet({ leader, state, me, unread, lastId }) {
    const isOther = leader !== this.#leaderId;
    const mayHaveMissed = isOther && this.#hasHeard && state.state === "live";
    this.#leaderId = leader;
    this.#hasHeard = true;
    this.#lastId = laterId(this.#lastId, lastId);
    this.me = me ?? this.me;
    this.#apply("state", state);
    this.#apply("counts", unread);
    if (isOther) this.#passAll();
    if (mayHaveMissed) this.#dispatch("reload");
  }

  // --- what is told ---------------------------------------------------------------------------------------

  /** By our own leader: to this tab, and to the others. */
  #tell(type, detail) {
    if (!this.#leads) return;
    this.#apply(type, detail);
    // A token that is refused is given up in all tabs at once (realtime/api.js).
    if (type !== "refused") this.#post({ kind: "told", leader: this.#id, type, detail });
  }

  #apply(type, detail) {
    if (type === "state") Object.assign(this, detail);
    if (type === "counts") this.unread = new Map(detail);
    if (type === "ready") {
      this.me = detail.me;
      this.#lastId = laterId(this.#lastId, detail.lastId);
      this.#dispatch("change");
    }
    if (type === "news") this.#news(detail);
    else this.#dispatch(type === "counts" ? "change" : type, detail);
  }

  #news(notification) {
    const isNew = compareIds(notification.id, this.#lastId) > 0;
    this.#lastId = laterId(this.#lastId, notification.id);
    this.#dispatch("news", { notification, isNew });
  }

  #dispatch(type, detail = null) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
