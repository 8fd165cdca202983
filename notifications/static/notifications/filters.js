/** The types there are, each with what is unread of it: buttons, of which one is pressed. */

import { ALL } from "./counts.js";

const element = (id) => document.getElementById(id);
const byName = new Intl.Collator("en").compare;

export class Filters {
  #group = element("filters");
  #template = element("filter-button").content.firstElementChild;
  #choose;
  #buttons = new Map();

  /** @param {(type: string) => void} choose */
  constructor(choose) {
    this.#choose = choose;
  }

  /** @param {Map<string, number | null>} unread by type */
  show(unread, chosen) {
    const types = [...new Set([...unread.keys(), ALL, chosen])].sort((a, b) => byName(a, b));
    for (const [type, button] of this.#buttons) if (!types.includes(type)) this.#drop(type, button);
    let place = this.#group.firstElementChild;
    for (const type of types) {
      const button = this.#button(type);
      const [name, badge] = button.children;
      name.textContent = type === ALL ? "All" : type;
      badge.firstElementChild.textContent = String(unread.get(type) ?? "");
      badge.hidden = !unread.get(type);
      button.ariaPressed = String(type === chosen);
      if (button === place) place = place.nextElementSibling;
      else this.#group.insertBefore(button, place);
    }
    this.#group.hidden = types.length < 3 && chosen === ALL;
  }

  #button(type) {
    if (!this.#buttons.has(type)) {
      const button = this.#template.cloneNode(true);
      button.addEventListener("click", () => this.#choose(type));
      this.#buttons.set(type, button);
    }
    return this.#buttons.get(type);
  }

  #drop(type, button) {
    this.#buttons.delete(type);
    button.remove();
  }
}
