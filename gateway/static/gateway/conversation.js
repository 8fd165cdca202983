/** The channel that is open: what it is about, being in it or not, and writing in it. */

import { Announcer } from "../realtime/notice.js";
import { DIRECT, KINDS, STREAM } from "./channels.js";
import { Composer } from "./composer.js";
import { MessageList } from "./message-list.js";
import { Timeline } from "./timeline.js";

const element = (id) => document.getElementById(id);

/** "change" tells that one has joined or left a channel. */
export class Conversation extends EventTarget {
  #api;
  #channels;
  #people;
  #composer;
  #me = "";
  #announcer = new Announcer("new messages");
  /** @type {any} */
  channel = null;

  /**
   * @param {{api: import("../realtime/api.js").Api, people: import("./people.js").People,
   *   channels: import("./channels.js").Channels, maxLength: number}} parts
   */
  constructor({ api, people, channels, maxLength }) {
    super();
    this.#api = api;
    this.#channels = channels;
    this.#people = people;
    this.timeline = new Timeline(api);
    new MessageList(this.timeline, people, () => this.#me);
    this.#composer = new Composer(maxLength, (channel, message) => this.#post(channel, message));
    this.timeline.addEventListener("change", () => {
      element("conversation-problem").textContent = this.timeline.problem;
      this.#markRead();
    });
    document.addEventListener("visibilitychange", () => this.#markRead());
    element("join").addEventListener("click", () => this.#change(() => this.#join(this.channel)));
    element("leave").addEventListener("click", () => this.#change(() => this.#leave(this.channel)));
  }

  /** Open a channel as somebody. Gives when its messages are there, or could not be had. */
  async open(channel, me) {
    this.#me = me;
    this.channel = channel;
    this.#show();
    this.#composer.open(channel, this.#channels.titleOf(channel), me);
    await this.timeline.open(channel);
  }

  close() {
    this.channel = null;
    this.timeline.open(null);
    this.#composer.close();
    this.#show();
  }

  /** Go on to write, where that does not bring up a keyboard on the screen; else to what it is about. */
  focus() {
    if (matchMedia("(pointer: fine)").matches) this.#composer.focus();
    else element("conversation-title").focus();
  }

  /** The list of channels was loaded anew. */
  refresh() {
    const channel = this.#channels.get(this.channel?.id);
    if (!channel) return;
    this.channel = channel;
    this.#show();
  }

  /** A message came in, in a channel one is in, or null. */
  async heard(message, channel) {
    const open = message.channel_id === this.channel?.id;
    if (open) this.timeline.add([message]);
    if (open && channel && !this.channel.joined) await this.#joinedElsewhere();
    if (message.author === this.#me) {
      this.#composer.heard(message);
    } else if (channel) {
      const name = await this.#people.name(message.author);
      const where = open ? "" : ` in ${this.#channels.titleOf(channel)}`;
      this.#announcer.say(`${name}${where}: ${message.content}`);
    }
  }

  #show() {
    const { channel } = this;
    element("conversation").hidden = !channel;
    element("no-conversation").hidden = Boolean(channel);
    if (!channel) return;
    const { type, joined, topic, description } = channel;
    const isDirect = type === DIRECT;
    element("conversation-title").textContent = this.#channels.titleOf(channel);
    const facts = [KINDS[type], topic, joined ? "" : "you are not in it: join to hear what is posted"];
    element("conversation-facts").textContent = facts.filter(Boolean).join(" · ");
    element("conversation-description").textContent = description;
    element("conversation-stream").replaceChildren(...(type === STREAM ? streamLink(channel.streamURL) : []));
    element("conversation-about").hidden = !description && !(type === STREAM && channel.streamURL);
    element("join").hidden = joined;
    element("leave").hidden = isDirect || !joined;
  }

  /** Seen is what is on the page while somebody looks at it. */
  #markRead() {
    const channel = this.#channels.get(this.channel?.id);
    if (channel && !document.hidden && !this.timeline.loading && !this.timeline.problem) {
      this.#channels.markRead(channel);
    }
  }

  async #post(channel, message) {
    if (!channel.joined && !this.#channels.get(channel.id)) await this.#join(channel);
    const { id } = await this.#api.post(`channels/${channel.id}/posts`, message);
    // It comes over the socket as well, with the server's own time.
    const posted = { id, channel_id: channel.id, author: this.#me, timestamp: Date.now(), ...message };
    await this.#channels.heard(posted);
    if (channel.id === this.channel?.id) this.timeline.add([posted]);
  }

  async #join(channel) {
    await this.#api.put(`channels/${channel.id}/members/me`);
    this.#changed(this.#channels.add(channel));
    // From now on all is heard of; in between something may have been posted.
    if (channel.id === this.channel?.id) await this.timeline.catchUp();
  }

  /** In another window. What was posted before is to be fetched, as after joining here. */
  async #joinedElsewhere() {
    this.refresh();
    await this.timeline.catchUp();
  }

  async #leave(channel) {
    await this.#api.delete(`channels/${channel.id}/members/me`);
    this.#channels.remove(channel.id);
    this.#changed({ ...channel, joined: false });
  }

  #changed(channel) {
    if (channel.id === this.channel?.id) this.channel = channel;
    this.#show();
    this.dispatchEvent(new Event("change"));
  }

  async #change(act) {
    try {
      await act();
      this.#composer.focus();
    } catch (error) {
      element("conversation-problem").textContent = error.message;
    }
  }
}

/** A link where the address is one of the web; anything else, such as javascript:, stays a text. */
function streamLink(address) {
  if (!address) return [];
  const isWeb = ["http:", "https:"].includes(URL.canParse(address) ? new URL(address).protocol : "");
  if (!isWeb) return ["Stream: ", address];
  const link = Object.assign(document.createElement("a"), {
    href: address,
    target: "_blank",
    rel: "noopener noreferrer nofollow",
    textContent: address,
  });
  return ["Stream: ", link];
}
