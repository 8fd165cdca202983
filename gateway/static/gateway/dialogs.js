/** The two dialogs: opening a channel, and finding somebody to write to. */

import { ApiError } from "../realtime/api.js";
import { DIRECT, STREAM } from "./channels.js";

const SEARCH_PAUSE_MS = 200;
const CHANNEL_FIELDS = { title: "channel-title", streamURL: "channel-stream" };

const element = (id) => document.getElementById(id);

for (const button of document.querySelectorAll("[data-dialog]")) {
  button.addEventListener("click", () => element(button.dataset.dialog).showModal());
}
for (const button of document.querySelectorAll("[data-close]")) {
  button.addEventListener("click", () => button.closest("dialog").close());
}

/** No dialog is open any more. */
export function closeDialogs() {
  for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
}

export class ChannelDialog {
  #api;
  #opened;
  #form = element("channel-form");
  #busy = false;

  /**
   * @param {import("../realtime/api.js").Api} api
   * @param {(id: string) => void} opened called with the new channel
   */
  constructor(api, opened) {
    this.#api = api;
    this.#opened = opened;
    this.#form.addEventListener("change", () => (element("stream-field").hidden = !this.#isStream));
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
    element("channel-dialog").addEventListener("close", () => {
      this.#form.reset();
      element("stream-field").hidden = true;
      this.#complain("");
    });
  }

  get #isStream() {
    return Number(this.#form.elements.type.value) === STREAM;
  }

  async #send() {
    if (this.#busy) return;
    const values = Object.fromEntries(
      [...new FormData(this.#form)].map(([name, value]) => [name, value.trim()]).filter(([, value]) => value),
    );
    if (!values.title) {
      this.#complain("", { title: "It needs a title, to be found by." });
      return;
    }
    if (!this.#isStream) delete values.streamURL;
    this.#busy = true;
    try {
      const { id } = await this.#api.post("channels", { ...values, type: Number(values.type) });
      element("channel-dialog").close();
      this.#opened(id);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#complain(error.message, error.fields);
    } finally {
      this.#busy = false;
    }
  }

  #complain(problem, fields = {}) {
    const wrong = Object.keys(CHANNEL_FIELDS).filter((name) => fields[name]);
    element("channel-problem").textContent = wrong.length ? "" : problem;
    for (const [name, id] of Object.entries(CHANNEL_FIELDS)) {
      element(`${id}-error`).textContent = fields[name] ?? "";
      element(id).ariaInvalid = fields[name] ? "true" : null;
    }
    if (wrong.length) element(CHANNEL_FIELDS[wrong[0]]).focus();
  }
}

export class PersonDialog {
  #api;
  #people;
  #channels;
  #me;
  #opened;
  #asked = 0;
  #timer = 0;

  /**
   * @param {{api: import("../realtime/api.js").Api, people: import("./people.js").People,
   *   channels: import("./channels.js").Channels, me: () => string, opened: (id: string) => void}} parts
   *   `opened` is called with the direct message, a new one or the one there was
   */
  constructor({ api, people, channels, me, opened }) {
    this.#api = api;
    this.#people = people;
    this.#channels = channels;
    this.#me = me;
    this.#opened = opened;
    element("person-search").addEventListener("input", () => {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#search(), SEARCH_PAUSE_MS);
    });
    element("person-dialog").addEventListener("close", () => {
      element("person-search").value = "";
      this.#search();
    });
  }

  async #search() {
    this.#asked += 1;
    const asked = this.#asked;
    const text = element("person-search").value.trim();
    let found = [];
    let problem = "";
    try {
      if (text) found = (await this.#people.search(text)).filter(({ id }) => id !== this.#me());
    } catch (error) {
      problem = error.message;
    }
    // What is asked for later counts, whichever answer comes first.
    if (asked !== this.#asked) return;
    const count = found.length === 1 ? "1 person found." : `${found.length} people found.`;
    element("person-status").textContent = text && !problem ? count : "";
    element("person-problem").textContent = problem;
    element("people").replaceChildren(...found.map((person) => this.#row(person)));
  }

  #row(person) {
    const button = Object.assign(document.createElement("button"), {
      type: "button",
      className: "chat-person",
    });
    const name = Object.assign(document.createElement("bdi"), { textContent: person.displayName });
    const username = Object.assign(document.createElement("bdi"), {
      className: "soft small",
      textContent: `@${person.username}`,
    });
    button.append(name, " ", username);
    button.addEventListener("click", () => this.#write(person));
    const row = document.createElement("li");
    row.append(button);
    return row;
  }

  async #write(person) {
    try {
      const known = this.#channels.directWith(person.id);
      const id = known?.id ?? (await this.#api.post("channels", { type: DIRECT, members: [person.id] })).id;
      element("person-dialog").close();
      this.#opened(id);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      element("person-problem").textContent = error.message;
    }
  }
}
