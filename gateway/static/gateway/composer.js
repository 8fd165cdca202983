/**
 * Writing a message. The text stays in its field until the server has it, so nothing that fails is lost;
 * each channel has a text of its own.
 */

import { ApiError } from "../realtime/api.js";
import { DIRECT, QUESTION } from "./channels.js";

const [POST, ANSWER] = [0, 1];
/** The count is shown from here on. */
const NEARLY_FULL = 0.9;

const element = (id) => document.getElementById(id);
/** As the server counts: by characters, not by halves of them. */
const lengthOf = (text) => [...text].length;

export class Composer {
  #maxLength;
  #post;
  #form = element("composer");
  #text = element("text");
  #channel = null;
  /** Texts by whose they are and where they go. */
  #drafts = new Map();
  #place = "";
  #busy = false;
  /** What was sent last and is not known to be posted: by being heard of it is, whatever became of the answer. */
  #sent = null;

  /**
   * @param {number} maxLength in characters
   * @param {(channel: object, message: {type: number, content: string}) => Promise<void>} post throws an ApiError
   */
  constructor(maxLength, post) {
    this.#maxLength = maxLength;
    this.#post = post;
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send(event.submitter?.value === "answer" ? ANSWER : POST);
    });
    this.#text.addEventListener("input", () => {
      this.#complain("");
      this.#fit();
    });
    this.#text.addEventListener("keydown", (event) => {
      // Enter also ends the choice of a character where one writes with an input method.
      if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
      event.preventDefault();
      this.#form.requestSubmit(element("post"));
    });
  }

  /** Write into a channel, as somebody. */
  open(channel, title, me) {
    this.#drafts.set(this.#place, this.#text.value);
    this.#channel = channel;
    this.#place = `${me}/${channel.id}`;
    this.#text.value = this.#drafts.get(this.#place) ?? "";
    this.#complain("");
    this.#fit();
    element("answer").hidden = channel.type !== QUESTION;
    element("text-label").textContent = channel.type === DIRECT ? `Message to ${title}` : `Message in ${title}`;
  }

  /** Nobody writes: what was begun is kept for whose it is. */
  close() {
    this.#drafts.set(this.#place, this.#text.value);
    this.#place = this.#text.value = "";
    this.#channel = null;
  }

  focus() {
    this.#text.focus();
  }

  /** A message of one's own was heard of: is it the one whose fate is not known? */
  heard({ channel_id: channelId, content }) {
    if (!this.#sent?.place.endsWith(`/${channelId}`) || this.#sent.text.trim() !== content) return;
    this.#sent.heard = true;
    if (!this.#busy) this.#posted();
  }

  async #send(type) {
    const text = this.#text.value;
    const content = text.trim();
    const over = lengthOf(content) - this.#maxLength;
    if (this.#busy || !this.#channel || !content) return;
    if (over > 0) {
      this.#complain(`A message has at most ${this.#maxLength.toLocaleString("en")} characters; this has ${over.toLocaleString("en")} more.`);
      return;
    }
    const sent = { place: this.#place, text, heard: false };
    this.#sent = sent;
    this.#setBusy(true);
    this.#complain("");
    try {
      await this.#post(this.#channel, { type, content });
      this.#posted();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (sent.heard) this.#posted();
      else if (sent.place === this.#place) this.#complain(`Not posted: ${error.message} Your text is kept.`);
      if (!error.isUncertain) this.#sent = null;
    } finally {
      this.#setBusy(false);
    }
  }

  /** What was sent is not to be sent again; what was written since stays. */
  #posted() {
    const { place, text } = this.#sent;
    this.#sent = null;
    const now = place === this.#place ? this.#text.value : (this.#drafts.get(place) ?? "");
    const rest = now.startsWith(text) ? now.slice(text.length) : now;
    this.#drafts.set(place, rest);
    if (place !== this.#place) return;
    if (this.#text.value !== rest) this.#text.value = rest;
    this.#complain("");
    this.#fit();
  }

  /** Not `disabled`: that would take the focus away from who writes. */
  #setBusy(busy) {
    this.#busy = busy;
    for (const id of ["post", "answer"]) element(id).ariaDisabled = busy ? "true" : null;
  }

  #complain(problem) {
    if (element("composer-problem").textContent !== problem) element("composer-problem").textContent = problem;
    this.#text.ariaInvalid = problem ? "true" : null;
  }

  /** As high as what is in it, within bounds that the stylesheet sets; and how much room is left. */
  #fit() {
    this.#text.style.blockSize = "auto";
    this.#text.style.blockSize = `${this.#text.scrollHeight + 2}px`;
    const length = lengthOf(this.#text.value.trim());
    const nearly = length > this.#maxLength * NEARLY_FULL;
    element("count").textContent = nearly
      ? `${length.toLocaleString("en")} of ${this.#maxLength.toLocaleString("en")} characters.`
      : "";
  }
}
