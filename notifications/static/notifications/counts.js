/**
 * How many notifications are unread, in all and by type: always as the server counts them, never reckoned
 * here. Whatever changes is counted again, at a pace that the server's limit of 20 requests a second allows.
 */

import { COUNT } from "./connection.js";

/** All types, among the types. None has this name. */
export const ALL = "";
/** One question of several, with this much time for each. */
const PACE_MS = 80;
/** Counting failed though the connection is there. */
const AGAIN_MS = 2_000;
/** So many types are counted each for itself. */
const MAX_TYPES = 16;

/** "change" tells that a count is another, or a type is new. */
export class Counts extends EventTarget {
  #ask;
  #stale = new Set();
  #counting = false;
  #stopped = true;
  /** What is unread, by type; null where that is not known yet. */
  unread = new Map([[ALL, null]]);

  /** @param {(command: string, options: object) => Promise<{payload: {total: number}}>} ask */
  constructor(ask) {
    super();
    this.#ask = ask;
  }

  /** Begin with what another tab has counted, if one has. */
  start(unread) {
    this.unread = unread ?? new Map([[ALL, null]]);
    this.#stopped = false;
  }

  stop() {
    this.#stopped = true;
    this.#stale.clear();
  }

  /** Something of these types is new, or has another status. */
  changed(types) {
    this.#add(types);
    this.#recount([ALL, ...types.filter((type) => this.unread.has(type))]);
  }

  /** There are notifications of these types. */
  learn(types) {
    this.#recount(this.#add(types));
  }

  /** Anything may be another. */
  recount() {
    this.#recount(this.unread.keys());
  }

  /** Gives those that are new. */
  #add(types) {
    const room = Math.max(0, MAX_TYPES + 1 - this.unread.size);
    const added = [...new Set(types)].filter((type) => !this.unread.has(type)).slice(0, room);
    for (const type of added) this.unread.set(type, null);
    return added;
  }

  async #recount(types) {
    for (const type of types) this.#stale.add(type);
    if (this.#counting) return;
    this.#counting = true;
    while (this.#stale.size && !this.#stopped) await this.#countOnce();
    this.#counting = false;
  }

  /** What changes while it is being counted is stale again. */
  async #countOnce() {
    const types = [...this.#stale];
    this.#stale.clear();
    let pauseMs = PACE_MS * types.length;
    try {
      const counted = await Promise.all(types.map((type) => this.#count(type)));
      if (this.#stopped) return;
      types.forEach((type, at) => this.unread.set(type, counted[at]));
      this.dispatchEvent(new Event("change"));
    } catch {
      if (this.#stopped) return;
      for (const type of types) this.#stale.add(type);
      pauseMs = AGAIN_MS;
    }
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }

  async #count(type) {
    const options = { where: { types: type === ALL ? [] : [type] }, status: "unread" };
    return (await this.#ask(COUNT, options)).payload.total;
  }
}
