/**
 * The messages of the channel that is open: a part of them without a hole, up to the newest.
 *
 * What is heard live and what is fetched meet by their ids, so a message may come both ways, or twice.
 */

import { compareIds } from "../realtime/ids.js";

/** As many as the server gives at once. */
const PAGE = 50;
/** Beyond that the oldest are dropped, where nobody is looking at them. */
const MAX_KEPT = 1_000;

/** "change" tells, as its detail, what was `added`, and whether it is `older` than what was there. */
export class Timeline extends EventTarget {
  #api;
  /** @type {{id: string} | null} */
  channel = null;
  /** In the order of their ids. */
  messages = [];
  hasOlder = false;
  /** Are the newest being fetched for the first time? */
  loading = false;
  /** Why they could not be, in words. */
  problem = "";
  #fetchingOlder = false;

  /** @param {import("../realtime/api.js").Api} api */
  constructor(api) {
    super();
    this.#api = api;
  }

  /** Show a channel, or none. */
  async open(channel) {
    this.channel = channel;
    this.messages = [];
    this.hasOlder = this.#fetchingOlder = false;
    this.problem = "";
    this.loading = Boolean(channel);
    this.#changed([]);
    if (channel) await this.reload();
  }

  /** Fetch the newest: there may be a hole before them, so what is older is let go of. */
  async reload() {
    const page = await this.#fetch({});
    if (!page) return;
    const known = new Set(this.messages.map(({ id }) => id));
    const last = page.at(-1)?.id ?? "";
    this.messages = [...page, ...this.messages.filter(({ id }) => compareIds(id, last) > 0)];
    this.hasOlder = page.length === PAGE;
    this.#changed(page.filter(({ id }) => !known.has(id)));
  }

  /** Fetch what came after the last one there is. */
  async catchUp() {
    if (this.problem || !this.messages.length) {
      await this.reload();
      return;
    }
    for (let page = null; page === null || page.length === PAGE; ) {
      page = await this.#fetch({ after: this.messages.at(-1).id });
      if (!page) return;
      this.add(page);
    }
  }

  /** Fetch what was before the first one there is. */
  async older() {
    if (!this.hasOlder || this.#fetchingOlder) return;
    this.#fetchingOlder = true;
    const first = this.messages[0].id;
    const page = await this.#fetch({ before: first });
    this.#fetchingOlder = false;
    // Fetched anew meanwhile, they begin elsewhere: there would be a hole.
    if (!page || this.messages[0].id !== first) return;
    this.messages.unshift(...page);
    this.hasOlder = page.length === PAGE;
    this.#changed(page, { older: true });
  }

  /** Messages that were heard of: each has its place, whatever order they come in. */
  add(messages) {
    const added = messages.filter((message) => this.#put(message));
    if (messages.length) this.#changed(added);
  }

  /** Let go of the oldest where there are too many. */
  trim() {
    if (this.messages.length <= MAX_KEPT) return;
    this.messages.splice(0, this.messages.length - MAX_KEPT);
    this.hasOlder = true;
    this.#changed([]);
  }

  /** True where it is new. A known one is replaced: what the server tells is truer than what we wrote. */
  #put(message) {
    let place = this.messages.length;
    while (place && compareIds(this.messages[place - 1].id, message.id) > 0) place -= 1;
    const known = place > 0 && this.messages[place - 1].id === message.id;
    if (known) this.messages[place - 1] = message;
    else this.messages.splice(place, 0, message);
    return !known;
  }

  /** A page of messages, or null: it could not be had, or another channel was opened meanwhile. */
  async #fetch(query) {
    const { channel } = this;
    let page = null;
    let problem = "";
    try {
      page = (await this.#api.get(`channels/${channel.id}/posts`, { limit: PAGE, ...query })).posts;
    } catch (error) {
      problem = error.message;
    }
    if (channel !== this.channel) return null;
    this.problem = problem;
    this.loading = false;
    if (problem) this.#changed([]);
    return page;
  }

  #changed(added, { older = false } = {}) {
    this.dispatchEvent(new CustomEvent("change", { detail: { added, older } }));
  }
}
