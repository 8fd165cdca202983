/**
 * The API key of a channel that asks for one. Kept for this tab only, and shown to nobody: the curl
 * lines name an environment variable instead.
 */

import { toast } from "../realtime/notice.js";

const STORAGE = "foyer.broadcast.api-key";

const element = (id) => document.getElementById(id);

export class ApiKey extends EventTarget {
  #required;
  value = sessionStorage.getItem(STORAGE) ?? "";

  /** @param {boolean} required do the channel's policies ask for a key? */
  constructor(required) {
    super();
    this.#required = required;
    element("api-key").value = this.value;
    element("key-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.value = element("api-key").value.trim();
      sessionStorage.setItem(STORAGE, this.value);
      toast(this.value ? "The key is used from now on." : "No key is used.");
      this.dispatchEvent(new Event("change"));
    });
  }

  /** Show the field: a key turned out to be needed. */
  show() {
    element("key-form").hidden = false;
  }

  /** Put the reader in front of the field. For an answer to something they just did. */
  ask() {
    this.show();
    element("api-key").focus();
  }

  /** Headers for a request of this page. */
  get headers() {
    return this.value ? { Authorization: `Bearer ${this.value}` } : {};
  }

  /** The same for a terminal. */
  get curlArguments() {
    return this.#required || this.value ? ['-H "Authorization: Bearer $FOYER_API_KEY"'] : [];
  }
}
