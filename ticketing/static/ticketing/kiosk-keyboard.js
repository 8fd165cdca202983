/**
 * A keyboard on the screen, for kiosks that have no other.
 *
 * Its letters are words of each language: kiosk.keyboardEmail for the address, kiosk.keyboardName for the name,
 * rows with spaces between them. Touching a key leaves the focus in the field. With a real keyboard it is one
 * stop of the Tab key, and the arrow keys move from key to key.
 *
 * The page's address decides (?keyboard=1, ?keyboard=0), else the device: shown where it is worked by touch
 * and large enough. Where ours is shown, the device's own stays away.
 */

import { announce } from "../realtime/notice.js";
import { language, languages, setWord, translate, words } from "./words.js";

const element = (id) => document.getElementById(id);

const asked = new URLSearchParams(location.search).get("keyboard");
const OFFERED = asked !== "0";
const WANTED = asked === "1" || (asked === null && matchMedia("(pointer: coarse) and (min-width: 40rem)").matches);

export class Keyboard {
  #keys = element("keys");
  #toggle = element("keys-toggle");
  #open = OFFERED && WANTED;
  #field = null;
  /** The field's own wish for a keyboard of the device. */
  #inputModes = new WeakMap();
  #capital = false;
  /** The language whose letters are shown. */
  #letters = "";

  constructor() {
    this.#toggle.addEventListener("click", () => this.#show(!this.#open));
    this.#keys.addEventListener("pointerdown", (event) => event.preventDefault());
    this.#keys.addEventListener("click", (event) => this.#press(event));
    this.#keys.addEventListener("keydown", (event) => this.#move(event));
    words.addEventListener("change", () => {
      this.#letters = "";
      this.#draw();
    });
  }

  /** Type into this field from now on; null: there is nothing to type. */
  attach(field) {
    this.#field = field;
    this.#letters = "";
    this.#capital = this.#wantsCapital();
    this.#show(this.#open);
  }

  /** For the next person: as it was at the start. */
  reset() {
    this.#open = OFFERED && WANTED;
  }

  #show(open) {
    this.#open = open;
    this.#toggle.hidden = !OFFERED || !this.#field;
    this.#toggle.ariaExpanded = String(open);
    setWord(element("keys-toggle-text"), open ? "kiosk.keyboardHide" : "kiosk.keyboardShow");
    this.#keys.hidden = !open || !this.#field;
    document.body.classList.toggle("has-keys", !this.#keys.hidden);
    this.#draw();
    if (!this.#field) return;
    if (!this.#inputModes.has(this.#field)) this.#inputModes.set(this.#field, this.#field.inputMode);
    this.#field.inputMode = open ? "none" : this.#inputModes.get(this.#field);
  }

  get #isAddress() {
    return this.#field?.id === "email";
  }

  /** Names begin with a capital letter; whoever wants another touches the key for it. */
  #wantsCapital() {
    if (!this.#field || this.#isAddress) return false;
    const before = this.#field.value.slice(0, this.#field.selectionStart ?? undefined);
    return before === "" || /[\s-]$/u.test(before);
  }

  /** Languages with letters of their own, the page's first. */
  #alphabets() {
    const codes = [language(), ...languages().filter((code) => code !== language())];
    const seen = new Set();
    return codes.filter((code) => {
      const letters = [...translate("kiosk.keyboardName", {}, code)].sort().join("");
      return !seen.has(letters) && seen.add(letters);
    });
  }

  #draw() {
    if (this.#keys.hidden) return;
    const alphabets = this.#alphabets();
    this.#letters ||= alphabets[0];
    const key = this.#isAddress ? "kiosk.keyboardEmail" : "kiosk.keyboardName";
    const rows = translate(key, {}, this.#letters).split(" ");
    const drawn = rows.map((row) => [...row].map((letter) => this.#letterKey(letter)));
    const last = drawn.at(-1);
    if (!this.#isAddress && rows.some((row) => row !== row.toUpperCase())) {
      last.unshift(this.#iconKey("shift", "kiosk.keyboardShift", { pressed: this.#capital }));
    }
    last.push(this.#iconKey("delete", "kiosk.keyboardDelete"));
    if (!this.#isAddress) {
      const space = this.#iconKey("space", "kiosk.keyboardSpace");
      const other = alphabets.length > 1 ? [this.#iconKey("letters", "kiosk.keyboardOther")] : [];
      drawn.push([...other, space]);
    }
    const focused = this.#keys.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    this.#keys.replaceChildren(
      ...drawn.map((keys) => {
        const row = Object.assign(document.createElement("div"), { className: "keys__row" });
        row.append(...keys);
        return row;
      }),
    );
    const all = [...this.#keys.querySelectorAll("button")];
    const stop = all.find((button) => button.dataset.key === focused) ?? all[0];
    for (const button of all) button.tabIndex = button === stop ? 0 : -1;
    if (focused !== null) stop.focus();
  }

  #letterKey(letter) {
    const shown = this.#capital ? letter.toLocaleUpperCase(this.#letters) : letter;
    // "ß" has no capital letter that is one.
    const text = [...shown].length === 1 ? shown : letter;
    const button = Object.assign(document.createElement("button"), {
      type: "button",
      className: "key",
      textContent: text,
    });
    button.dataset.key = letter;
    button.dataset.text = text;
    button.lang = this.#letters;
    return button;
  }

  #iconKey(name, word, { pressed = null } = {}) {
    const button = Object.assign(document.createElement("button"), {
      type: "button",
      className: `key key--${name}`,
      ariaLabel: translate(word),
      ariaPressed: pressed === null ? null : String(pressed),
    });
    button.dataset.key = name;
    if (name === "space") {
      button.textContent = translate(word);
    } else {
      button.innerHTML = `<svg class="icon" aria-hidden="true"><use href="#icon-${name}"/></svg>`;
    }
    return button;
  }

  #press(event) {
    const { key, text } = event.target.closest("button")?.dataset ?? {};
    if (!key || !this.#field) return;
    if (key === "shift") {
      this.#capital = !this.#capital;
    } else if (key === "letters") {
      const alphabets = this.#alphabets();
      this.#letters = alphabets[(alphabets.indexOf(this.#letters) + 1) % alphabets.length];
    } else if (key === "delete") {
      this.#delete();
    } else {
      this.#type(text ?? " ");
    }
    this.#draw();
  }

  #type(text) {
    const field = this.#field;
    if (field.value.length - (field.selectionEnd - field.selectionStart) >= field.maxLength) return;
    field.setRangeText(text, field.selectionStart, field.selectionEnd, "end");
    this.#typed(text);
  }

  #delete() {
    const field = this.#field;
    let { selectionStart: start } = field;
    // One letter, whatever it is made of.
    if (start === field.selectionEnd) start -= [...field.value.slice(0, start)].at(-1)?.length ?? 0;
    const gone = field.value.slice(start, field.selectionEnd);
    field.setRangeText("", start, field.selectionEnd, "end");
    if (gone) this.#typed(`${translate("kiosk.keyboardDelete")}: ${gone}`);
  }

  #typed(said) {
    this.#field.dispatchEvent(new InputEvent("input", { bubbles: true }));
    // Whoever works this keyboard from another one does not hear what a field says when one types in it.
    if (document.activeElement !== this.#field) announce(said);
    this.#capital = this.#wantsCapital();
  }

  /** Arrow keys: left and right along a row, up and down between rows. */
  #move(event) {
    const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    if (!step) return;
    event.preventDefault();
    const rows = [...this.#keys.children].map((row) => [...row.children]);
    const row = rows.findIndex((keys) => keys.includes(event.target));
    const column = rows[row].indexOf(event.target);
    const [down, along] = step;
    const target = rows[(row + down + rows.length) % rows.length];
    const place = down ? (column / rows[row].length) * target.length : column + along + target.length;
    this.#focus(target[Math.floor(place) % target.length]);
  }

  #focus(button) {
    for (const other of this.#keys.querySelectorAll("button")) other.tabIndex = other === button ? 0 : -1;
    button.focus();
  }
}
