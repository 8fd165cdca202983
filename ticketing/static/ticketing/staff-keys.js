/**
 * Keyboard shortcuts: one key each, shown on the button that it presses.
 *
 * An element with data-key="c" is pressed by C, or focused where it is a field. Where several have the key,
 * the one in the card that has the focus is meant, else the first: that of the visitor called last. They do
 * nothing in fields and dialogs, and can be turned off (WCAG 2.1.4): speech and chance press keys, too.
 */

import { closeOnBackdrop } from "./staff-tables.js";
import { setWord } from "./words.js";

const STORAGE = "foyer.ticketing.staff-keys";
/** In the order of the help. */
const KEYS = [
  ["N", "staff.next"],
  ["C", "staff.complete"],
  ["R", "staff.recall"],
  ["B", "staff.release"],
  ["T", "staff.transferKey"],
  ["X", "staff.noShow"],
  ["P", "staff.pauseKey"],
  ["/", "staff.searchKey"],
  ["?", "staff.keysKey"],
];

const element = (id) => document.getElementById(id);

export class Keys {
  #switch = element("keys-on");
  #help = element("keys");

  constructor() {
    this.#switch.checked = localStorage.getItem(STORAGE) !== "off";
    this.#switch.addEventListener("change", () => {
      localStorage.setItem(STORAGE, this.#switch.checked ? "on" : "off");
      this.#show();
    });
    element("keys-list").append(...KEYS.map(describe));
    element("keys-open").addEventListener("click", () => this.#help.showModal());
    this.#help.addEventListener("click", closeOnBackdrop);
    document.addEventListener("keydown", (event) => this.#onKey(event));
    // A key that is held down repeats: it must not press the button that comes next, too.
    document.addEventListener("keydown", refuseRepeats, { capture: true });
    this.#show();
  }

  #show() {
    document.documentElement.classList.toggle("keys-off", !this.#switch.checked);
  }

  #onKey(event) {
    if (!this.#switch.checked || event.defaultPrevented || event.repeat) return;
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.target.closest("input:not([type=checkbox]), textarea, select, [contenteditable]")) return;
    if (document.querySelector("dialog[open]")) return;
    const key = keyOf(event);
    if (key === "?" && element("keys-open").checkVisibility()) {
      this.#help.showModal();
    } else {
      const target = this.#target(key);
      if (!target) return;
      if (target.matches("input")) target.focus();
      else target.click();
    }
    event.preventDefault();
  }

  #target(key) {
    if (!key) return null;
    const selector = `[data-key="${CSS.escape(key)}"]`;
    const here = document.activeElement?.closest(".desk-card");
    const visible = (target) => target.checkVisibility();
    return (
      [...(here?.querySelectorAll(selector) ?? [])].find(visible) ??
      [...document.querySelectorAll(selector)].find(visible)
    );
  }
}

function refuseRepeats(event) {
  const presses = event.key === "Enter" || event.key === " ";
  if (event.repeat && presses && event.target.closest("button")) event.preventDefault();
}

/** The letter on the key cap where the layout writes another script, such as Arabic. */
function keyOf(event) {
  if (/^[a-z?/]$/i.test(event.key)) return event.key.toLowerCase();
  if (/^[!-~]$/.test(event.key)) return "";
  return /^Key[A-Z]$/.test(event.code) ? event.code.at(-1).toLowerCase() : "";
}

function describe([key, word]) {
  const pair = document.createElement("div");
  const cap = Object.assign(document.createElement("kbd"), { textContent: key });
  const term = document.createElement("dt");
  const meaning = document.createElement("dd");
  term.append(cap);
  setWord(meaning, word);
  pair.append(term, meaning);
  return pair;
}
