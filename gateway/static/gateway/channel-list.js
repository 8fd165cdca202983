/** The channels beside the conversation: one's own with what is new, and open ones to join. */

import { KINDS } from "./channels.js";

const SEARCH_PAUSE_MS = 250;
/** Many messages may come at once: one drawing for all of them. */
const DRAW_PAUSE_MS = 30;
/** As many as the server gives where one does not say how many. */
const PAGE = 20;

const element = (id) => document.getElementById(id);
const rowTemplate = element("channel-row").content.firstElementChild;

/** One's own channels. */
export class ChannelList {
  #channels;
  #openId = "";
  #timer = 0;

  /** @param {import("./channels.js").Channels} channels */
  constructor(channels) {
    this.#channels = channels;
    // No animation frame, of which there is none while nobody looks: the title counts what is new just then.
    channels.addEventListener("change", () => (this.#timer ||= setTimeout(() => this.#draw(), DRAW_PAUSE_MS)));
  }

  /** This channel is open, or, with "", none. */
  mark(id) {
    this.#openId = id;
    for (const link of document.querySelectorAll(".chat-channel")) markLink(link, id);
  }

  /** Put the focus on a channel, or above all if it is not on the list. */
  focus(id) {
    const row = element("mine").querySelector(`[data-id="${id}"]`);
    (row?.firstElementChild ?? element("mine-title")).focus();
  }

  #draw() {
    this.#timer = 0;
    const { mine } = this.#channels;
    element("mine-empty").hidden = mine.length > 0;
    const focused = document.activeElement?.closest("#mine > li")?.dataset.id;
    const rows = new Map([...element("mine").children].map((row) => [row.dataset.id, row]));
    element("mine").replaceChildren(...mine.map((channel) => this.#row(channel, rows.get(channel.id))));
    if (focused !== undefined) this.focus(focused);
    const unread = mine.filter((channel) => this.#channels.isUnread(channel)).length;
    document.title = `${unread ? `(${unread}) ` : ""}Chat – Foyer`;
  }

  #row(channel, row = rowTemplate.cloneNode(true)) {
    const unread = this.#channels.isUnread(channel);
    const facts = [KINDS[channel.type], channel.topic];
    fillRow(row, channel, { title: this.#channels.titleOf(channel), facts, openId: this.#openId });
    row.firstElementChild.classList.toggle("chat-channel--unread", unread);
    row.firstElementChild.children[1].hidden = !unread;
    return row;
  }
}

/** Open channels one is not in. They are asked for when somebody wants to see them. */
export class Discover {
  #channels;
  #openId;
  #found = [];
  #asked = 0;
  #timer = 0;

  /**
   * @param {import("./channels.js").Channels} channels
   * @param {() => string} openId of the channel that is open
   */
  constructor(channels, openId) {
    this.#channels = channels;
    this.#openId = openId;
    element("discover").addEventListener("toggle", () => this.refresh());
    element("discover-search").addEventListener("input", () => {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.refresh(), SEARCH_PAUSE_MS);
    });
    element("discover-more").addEventListener("click", () => this.#load(this.#found));
  }

  /** Ask anew, if the list is in sight. */
  async refresh() {
    if (element("discover").open) await this.#load([]);
  }

  /** Show what is there after `before`; what is asked for later counts, whichever answer is first. */
  async #load(before) {
    this.#asked += 1;
    const asked = this.#asked;
    const search = element("discover-search").value.trim();
    let problem = "";
    let page = [];
    try {
      page = await this.#channels.open({ search, before: before.at(-1)?.id });
    } catch (error) {
      problem = error.message;
    }
    if (asked !== this.#asked) return;
    if (!problem) this.#found = [...before, ...page];
    const none = search ? "No open channel has that." : "There is no other open channel.";
    element("discover-status").textContent = problem || (this.#found.length ? "" : none);
    element("discover-more").hidden = page.length < PAGE;
    this.#draw();
  }

  #draw() {
    const rows = this.#found.map((channel) => {
      const row = rowTemplate.cloneNode(true);
      const { type, topic, memberCount } = channel;
      const facts = [KINDS[type], topic, memberCount === 1 ? "1 member" : `${memberCount} members`];
      fillRow(row, channel, { title: this.#channels.titleOf(channel), facts, openId: this.#openId() });
      return row;
    });
    element("discover-list").replaceChildren(...rows);
  }
}

function fillRow(row, { id }, { title, facts, openId }) {
  const [link] = row.children;
  const [name, , more] = link.children;
  row.dataset.id = id;
  link.href = `#${id}`;
  name.textContent = title;
  more.textContent = facts.filter(Boolean).join(" · ");
  markLink(link, openId);
}

function markLink(link, id) {
  if (link.hash === `#${id}`) link.ariaCurrent = "page";
  else link.removeAttribute("aria-current");
}
