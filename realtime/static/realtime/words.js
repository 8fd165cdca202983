/**
 * The words of a page, in the languages that an installation offers.
 *
 *     <h1 data-word="kiosk.emailTitle">Take a number</h1>     the text between the tags shows until words are there
 *     <button data-word-aria-label="kiosk.clear">×</button>, <input data-word-placeholder="…">, data-word-title
 *
 *     const folder = new URL("./words/", import.meta.url);
 *     await startWords({ folder, storage: "foyer.kiosk.language", languages: ["en", "de"] });
 *     translate("common.waiting", { count: 3 })            "3 people are waiting"
 *     setWord(element, "common.waiting", { count: 3 });     the same, and again after each change of language
 *     setLanguage("de"); words.addEventListener("change", showAgain);
 *
 * A language is one file of the service, <folder>/<code>.js, whose blocks and keys are those of en.js there;
 * the words that every service needs it takes from words/<code>.js beside this file into its block `common`.
 * A word is a text with {names} for values, or, where it depends on a number, an object with one text for
 * each plural form that the language has (Intl.PluralRules; the number is `count`). All languages are loaded
 * at the start: switching must work while the server is away, too.
 */

import * as stored from "./stored.js";

/** Attributes that hold words, by the key of the dataset that names the word. */
const ATTRIBUTES = Object.entries({
  wordAriaLabel: "aria-label",
  wordPlaceholder: "placeholder",
  wordTitle: "title",
});
const MARKED = "[data-word], [data-word-aria-label], [data-word-placeholder], [data-word-title]";

/** Tells of each change of language ("change"), after every marked element has its new words. */
export const words = new EventTarget();

let loaded = new Map();
let storage = "";
let current = "en";
/** Values of words that were set with some: not in an attribute, where anybody could see them. */
const valuesOf = new WeakMap();

/**
 * Load the words and show the page in the language that was chosen on it last; else in the first of
 * `preferred` that there is, else in the first of all.
 *
 * A file that cannot be had costs its language, not the page.
 *
 * @param {{folder: URL, storage: string, languages: string[], preferred?: readonly string[]}} options
 *   the choice is remembered under `storage`; `preferred` may name regions ("de-AT"), as browsers do
 */
export async function startWords({ folder, storage: place, languages, preferred = [] }) {
  const files = await Promise.allSettled(languages.map((code) => import(new URL(`${code}.js`, folder))));
  loaded = new Map(
    languages.flatMap((code, index) =>
      files[index].status === "fulfilled" ? [[code, files[index].value.default]] : [],
    ),
  );
  storage = place;
  const wanted = [stored.get(storage), ...preferred.flatMap((tag) => [tag, tag.split("-")[0]])];
  show(wanted.find((code) => loaded.has(code)) ?? firstLanguage());
}

/** The codes of the languages there are, the first one first. */
export function languages() {
  return [...loaded.keys()];
}

/** What the page speaks when nobody has chosen. */
export function firstLanguage() {
  return languages()[0] ?? "en";
}

/** The code of the language that is shown. */
export function language() {
  return current;
}

/** Show the page in a language, and remember it for the next time unless told otherwise. */
export function setLanguage(code, { remember = true } = {}) {
  if (!loaded.has(code)) return;
  if (remember) stored.set(storage, code);
  show(code);
}

/** Forget what was chosen and go back to the first language: for a page that the next person comes to. */
export function resetLanguage() {
  stored.remove(storage);
  show(firstLanguage());
}

function show(code) {
  current = code;
  document.documentElement.lang = code;
  document.documentElement.dir = loaded.get(code)?.common?.direction === "rtl" ? "rtl" : "ltr";
  reword(document);
  words.dispatchEvent(new Event("change"));
}

/** Put the words into every marked element under `root`, for what was made after the start. */
export function reword(root) {
  if (root.matches?.(MARKED)) rewordOne(root);
  for (const element of root.querySelectorAll(MARKED)) rewordOne(element);
}

function rewordOne(element) {
  const values = valuesOf.get(element) ?? {};
  if (element.dataset.word) put(element, translate(element.dataset.word, values));
  for (const [key, attribute] of ATTRIBUTES) {
    if (element.dataset[key]) element.setAttribute(attribute, translate(element.dataset[key], values));
  }
}

/** An unchanged text is left alone: in a live region, writing it again would announce it again. */
function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Give an element a word, now and in every language that is chosen later. */
export function setWord(element, key, values = {}) {
  element.dataset.word = key;
  valuesOf.set(element, values);
  put(element, translate(key, values));
}

/** Take the word of an element away. */
export function clearWord(element) {
  delete element.dataset.word;
  valuesOf.delete(element);
  put(element, "");
}

/**
 * The words for `key` ("block.name") in the language that is shown.
 *
 * Numbers among `values` are written as the language writes them; `count` chooses the plural form.
 * What a language lacks is said in the first one; an unknown key is shown as it is.
 */
export function translate(key, values = {}, code = current) {
  const word = find(key, code) ?? find(key, firstLanguage());
  if (word === undefined) return key;
  const text =
    typeof word === "string" ? word : (word[new Intl.PluralRules(code).select(values.count)] ?? word.other);
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? written(values[name], code) : whole));
}

function find(key, code) {
  const dot = key.indexOf(".");
  return loaded.get(code)?.[key.slice(0, dot)]?.[key.slice(dot + 1)];
}

/** The digits that everything is numbered with, whatever the language's own are. */
const tag = (code) => `${code}-u-nu-latn`;

function written(value, code) {
  return typeof value === "number" ? new Intl.NumberFormat(tag(code)).format(value) : String(value);
}

/** Time of day of `ms` since 1970, "14:05", in the language shown and in the time zone if given. */
export function clock(ms, timeZone, options = {}) {
  const format = { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone, ...options };
  return new Intl.DateTimeFormat(tag(current), format).format(ms);
}

/** Day of `ms` since 1970 in words, "3 March 2026". */
export function calendarDay(ms, timeZone) {
  return new Intl.DateTimeFormat(tag(current), { dateStyle: "long", timeZone }).format(ms);
}

/** Have a <live-state> speak the language shown, now and after each change. */
export function wordLiveState(element) {
  const say = () => {
    const word = (name, values) => translate(`common.${name}`, values);
    Object.assign(element.texts, {
      connecting: () => word("connecting"),
      live: (time) => word("live", { time }),
      notLive: (time) => word("notLive", { time }),
      neverLive: () => word("neverLive"),
      tryingAgain: () => word("tryingAgain"),
      tryingIn: (seconds) => word("tryingIn", { count: seconds }),
      offline: () => word("offline"),
      ended: () => word("ended"),
      tryNow: word("tryNow"),
      connectAgain: word("connectAgain"),
    });
    // Giving it its socket has it say everything again.
    if (element.socket) element.socket = element.socket;
  };
  words.addEventListener("change", say);
  say();
}

/**
 * Fill `group` with a button for each language, named in that language itself.
 *
 * With one language there is nothing to choose, and the group is hidden.
 */
export function offerLanguages(group) {
  const buttons = languages().map((code) => {
    const button = Object.assign(document.createElement("button"), {
      type: "button",
      className: "button button--quiet",
      lang: code,
      dir: translate("common.direction", {}, code),
      textContent: translate("common.languageName", {}, code),
    });
    button.addEventListener("click", () => setLanguage(code));
    return button;
  });
  group.hidden = buttons.length < 2;
  group.replaceChildren(...buttons);
  const mark = () => {
    for (const button of buttons) button.ariaPressed = String(button.lang === current);
  };
  words.addEventListener("change", mark);
  mark();
}
