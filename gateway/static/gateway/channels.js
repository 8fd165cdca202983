/** The channels one is in: which they are, what was posted last, and what of it was read here. */

import { compareIds, laterId } from "../realtime/ids.js";
import * as kept from "../realtime/stored.js";

export const [QUESTION, STREAM, DIRECT] = [0, 1, 2];
export const KINDS = ["Question", "Stream", "Direct message"];

/** As many as the server gives at once. */
const PAGE = 50;

/** "change" tells that something about them is different. */
export class Channels extends EventTarget {
  #api;
  #people;
  #mine = new Map();
  /** Those that came in while the list was being loaded. */
  #meanwhile = new Set();
  /** Requests for one channel that are under way, by its id. */
  #fetching = new Map();
  #me = "";

  /**
   * @param {import("../realtime/api.js").Api} api
   * @param {import("./people.js").People} people
   */
  constructor(api, people) {
    super();
    this.#api = api;
    this.#people = people;
    addEventListener("storage", () => this.#changed());
  }

  /** Those one is in, the one with the latest message first. */
  get mine() {
    const latest = (channel) => laterId(channel.id, channel.lastMessage ?? "");
    return [...this.#mine.values()].sort((a, b) => compareIds(latest(b), latest(a)));
  }

  get(id) {
    return this.#mine.get(id);
  }

  /** Begin anew, for this account; "" for nobody's. */
  reset(me) {
    if (me && me === this.#me) return;
    this.#me = me;
    this.#mine.clear();
    this.#changed();
  }

  /** Load them all. Throws an ApiError, and nothing has changed then. */
  async load() {
    this.#meanwhile.clear();
    const me = this.#me;
    const found = new Map();
    for (let page = null, before = ""; page === null || page.length === PAGE; before = page.at(-1)?.id) {
      page = (await this.#api.get("channels", { mine: true, limit: PAGE, before })).channels;
      for (const channel of page) found.set(channel.id, this.#known(channel));
    }
    if (me !== this.#me) return;
    for (const id of this.#meanwhile) found.set(id, this.#mine.get(id));
    this.#mine = found;
    this.#changed();
  }

  /** Channels one may join, the newest first. Throws an ApiError. */
  async open({ search, before }) {
    const { channels } = await this.#api.get("channels", { mine: false, q: search, before });
    return channels;
  }

  /** One channel, from the server; null if there is none for us. Throws an ApiError. */
  fetch(id) {
    if (!this.#fetching.has(id)) {
      this.#fetching.set(id, this.#fetch(id).finally(() => this.#fetching.delete(id)));
    }
    return this.#fetching.get(id);
  }

  async #fetch(id) {
    const before = String(BigInt(id) + 1n);
    const [channel] = (await this.#api.get("channels", { limit: 1, before })).channels;
    if (channel?.id !== id) return null;
    return channel.joined ? this.add(channel) : channel;
  }

  /** One is in this channel from now on. Gives it as it is kept. */
  add(channel) {
    const known = this.#known({ ...channel, joined: true });
    this.#mine.set(channel.id, known);
    this.#meanwhile.add(channel.id);
    this.#changed();
    return known;
  }

  remove(id) {
    this.#mine.delete(id);
    this.#meanwhile.delete(id);
    this.#changed();
  }

  /** The direct message with this person alone, if there is one. */
  directWith(id) {
    return this.mine.find(
      ({ type, members }) => type === DIRECT && members.length === 2 && members.some((who) => who.id === id),
    );
  }

  /** Something was posted. Gives the channel, or null where we are not in it (any more). */
  async heard({ id, channel_id: channelId }) {
    if (!this.#mine.has(channelId)) await this.fetch(channelId).catch(() => null);
    const channel = this.#mine.get(channelId);
    if (!channel) return null;
    channel.lastMessage = laterId(channel.lastMessage ?? "", id);
    this.#changed();
    return channel;
  }

  isUnread({ id, lastMessage }) {
    return compareIds(lastMessage ?? "", this.#marks[id] ?? "") > 0;
  }

  /** Everything of this channel was seen, up to its last message. */
  markRead(channel) {
    if (!this.#me || !this.isUnread(channel)) return;
    kept.set(this.#place, JSON.stringify({ ...this.#marks, [channel.id]: channel.lastMessage }));
    this.#changed();
  }

  /** What to call a channel: its title, or who it is with. */
  titleOf({ type, title, members }) {
    if (type !== DIRECT) return title || `${KINDS[type]} without a title`;
    const others = members.filter(({ id }) => id !== this.#me);
    return others.map(({ displayName }) => displayName).join(", ") || KINDS[DIRECT];
  }

  get #place() {
    return `foyer.gateway.read.${this.#me}`;
  }

  /** Ids of the last messages that were seen, by channel. */
  get #marks() {
    try {
      return JSON.parse(kept.get(this.#place)) ?? {};
    } catch {
      return {};
    }
  }

  /** A message may have been heard of before the list that does not have it was read. */
  #known(channel) {
    for (const profile of channel.members) this.#people.learn(profile);
    const before = this.#mine.get(channel.id)?.lastMessage ?? "";
    return { ...channel, lastMessage: laterId(channel.lastMessage ?? "", before) };
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}
