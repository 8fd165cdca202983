/**
 * The notifications of a type, or all of them: a part of the list without a hole, from the newest on.
 *
 * What is fetched and what is told meet by their ids. An answer is what the server has at that moment, and what
 * is told afterwards comes after it, so whatever comes last is true.
 */

import { compareIds } from "../realtime/ids.js";
import { LIST, MARK } from "./connection.js";
import { ALL } from "./counts.js";

const PAGE = 30;
/** The server gives no more at once, and marks no more at once. */
const MAX_PAGE = 100;
const MAX_MARKED = 1_000;
/** Beyond that the oldest are let go of. They are there again as one scrolls. */
const MAX_KEPT = 500;
/** Fetching failed though the connection is there. */
const AGAIN_MS = 2_000;
/** What is seen within this time is marked together. */
const SEEN_MS = 250;

/** "change" tells that anything below is another. */
export class Inbox extends EventTarget {
  #connection;
  /** Counts the lists that were opened: an answer for one before is passed over. */
  #list = 0;
  #turn = Promise.resolve();
  /** Has all that is shown been fetched over the connection there is? */
  #isCurrent = false;
  #shown = new Set();
  #seenTimer = 0;
  #againTimer = 0;
  type = ALL;
  /** The newest first. */
  items = [];
  /** Ids of those that nobody had seen when they came onto this page. */
  fresh = new Set();
  hasOlder = false;
  loading = false;
  /** Why the list is not what it should be, in words. */
  problem = "";

  /** @param {import("./tabs.js").SharedConnection} connection */
  constructor(connection) {
    super();
    this.#connection = connection;
    connection.addEventListener("news", ({ detail }) => this.#put(detail.notification));
    connection.addEventListener("marked", ({ detail }) => this.#marked(detail));
    // Its payload is whatever part of the list was asked for last, in whichever tab.
    connection.addEventListener("reload", () => {
      this.#isCurrent = false;
      this.refresh();
    });
    connection.addEventListener("ready", () => this.refresh());
    connection.addEventListener("state", () => (this.#isCurrent &&= connection.state === "live"));
  }

  /** Show the newest of this type. */
  open(type) {
    this.close();
    this.type = type;
    this.loading = true;
    this.#changed();
    this.refresh();
  }

  /** Show nothing. */
  close() {
    this.#list += 1;
    this.#turn = Promise.resolve();
    clearTimeout(this.#againTimer);
    this.#shown.clear();
    this.fresh.clear();
    this.items = [];
    this.hasOlder = this.loading = false;
    this.problem = "";
    this.#changed();
  }

  /** Fetch again what is shown, and what is newer. */
  refresh() {
    return this.#inTurn(async (list) => {
      const wanted = Math.min(Math.max(this.items.length, PAGE), MAX_KEPT);
      let got = 0;
      let before;
      let isFull = true;
      while (isFull && got < wanted) {
        const limit = Math.min(wanted - got, MAX_PAGE);
        const page = await this.#fetch(list, { limit, before });
        if (!page) return;
        isFull = page.length === limit;
        this.#replace(page, before, isFull ? page.at(-1).id : undefined);
        got += page.length;
        before = page.at(-1)?.id;
      }
      this.hasOlder = isFull;
      this.#isCurrent = this.#connection.state === "live";
      if (isFull) this.items = this.items.filter(({ id }) => compareIds(id, before) >= 0);
      // What could not be marked before.
      this.seen([]);
      this.#changed();
    });
  }

  /** Fetch what is before the last one there is. */
  older() {
    return this.#inTurn(async (list) => {
      if (!this.hasOlder) return;
      const before = this.items.at(-1).id;
      const page = await this.#fetch(list, { limit: PAGE, before });
      if (!page) return;
      this.hasOlder = page.length === PAGE;
      this.#replace(page, before, page.at(-1)?.id);
      this.#changed();
    });
  }

  /** Let go of the oldest where there are too many; not while those before them are fetched. */
  trim() {
    if (this.items.length <= MAX_KEPT) return;
    this.#inTurn(() => {
      if (this.items.length <= MAX_KEPT) return;
      this.items = this.items.slice(0, MAX_KEPT);
      this.hasOlder = true;
      this.#changed();
    });
  }

  /** Mark one. Throws an Error in words. */
  mark({ id, type }, status) {
    const options = { where: { notifications: [id] }, status };
    return this.#connection.ask(MARK, options, { types: [type] });
  }

  /** Mark all there are of the type, also those that are not on the page. Throws an Error in words. */
  markAllRead() {
    const types = this.type === ALL ? [] : [this.type];
    const known = [...this.#connection.unread.keys()].filter((type) => type !== ALL);
    const options = { where: { types }, status: "read" };
    return this.#connection.ask(MARK, options, { types: types.length ? types : known });
  }

  /** These are in front of somebody: seen, though not read. */
  seen(ids) {
    for (const id of ids) this.#shown.add(id);
    this.#seenTimer ||= setTimeout(() => this.#markSeen(), SEEN_MS);
  }

  /** Only what is unseen now: whoever has read it meanwhile on another device has read it. */
  async #markSeen() {
    this.#seenTimer = 0;
    if (!this.#isCurrent) return;
    const seen = this.items.filter(({ id, status }) => status === "unseen" && this.#shown.has(id));
    const unseen = seen.slice(0, MAX_MARKED);
    if (!unseen.length) return;
    const types = [...new Set(unseen.map(({ type }) => type))];
    const where = { notifications: unseen.map(({ id }) => id), status: "unseen" };
    // Where it fails they stay unseen, and are marked with what is seen next.
    await this.#connection.ask(MARK, { where, status: "unread" }, { types, onlyNow: true }).catch(() => {});
  }

  // --- what is fetched ------------------------------------------------------------------------------------

  /** One after the other, each where the one before has ended. */
  #inTurn(act) {
    const list = this.#list;
    this.#turn = this.#turn.then(() => (list === this.#list ? act(list) : undefined));
    return this.#turn;
  }

  /** A part of the list; null where it could not be had, or another list was opened meanwhile. */
  async #fetch(list, params) {
    let page = null;
    let problem = "";
    try {
      const where = { types: this.type === ALL ? [] : [this.type] };
      page = await this.#connection.ask(LIST, { where, params });
    } catch (error) {
      problem = error.message;
    }
    if (list !== this.#list) return null;
    this.loading = false;
    this.problem = problem;
    if (problem) {
      clearTimeout(this.#againTimer);
      // Without a connection, "ready" is when to try again.
      if (this.#connection.state === "live") this.#againTimer = setTimeout(() => this.refresh(), AGAIN_MS);
      this.#changed();
    }
    return page;
  }

  /** Between `before` and `last` (undefined: the ends of the list) there are these, and no others. */
  #replace(page, before, last) {
    const outside = ({ id }) =>
      (before !== undefined && compareIds(id, before) >= 0) || (last !== undefined && compareIds(id, last) < 0);
    page.forEach((item) => this.#freshen(item));
    this.items = [...this.items.filter(outside), ...page].sort((a, b) => compareIds(b.id, a.id));
  }

  // --- what is told ---------------------------------------------------------------------------------------

  #put(item) {
    if (this.type !== ALL && item.type !== this.type) return;
    const at = this.items.findIndex(({ id }) => compareIds(id, item.id) <= 0);
    if (this.items[at]?.id === item.id) this.items[at] = item;
    else if (at >= 0) this.items.splice(at, 0, item);
    // Older than all there are: it comes with its page.
    else if (this.hasOlder) return;
    else this.items.push(item);
    this.#freshen(item);
    this.#changed();
  }

  /** By one of these tabs. */
  #marked({ where, status }) {
    if (!where.notifications) {
      // What has come since is not among them: only the server knows.
      this.refresh();
      return;
    }
    const marked = new Set(where.notifications);
    const takes = (item) => marked.has(item.id) && (where.status ?? item.status) === item.status;
    this.items = this.items.map((item) => (takes(item) ? { ...item, status } : item));
    for (const id of marked) if (status === "read") this.fresh.delete(id);
    this.#changed();
  }

  #freshen({ id, status }) {
    if (status === "unseen") this.fresh.add(id);
    if (status === "read") this.fresh.delete(id);
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}
