/** Draws the waiting room's screen: the call, the last calls, a tile for each table, the line. */

import { clearWord, clock, language, setWord, tableName, translate, wait, words } from "./words.js";
import { arrange } from "./display-layout.js";

/** As many as there is room for beside a call that can be read from afar. */
const LAST_CALLS = 4;
/** Steps in which a text is made smaller until it fits. */
const SIZES = [1, 0.88, 0.77, 0.68, 0.6, 0.52, 0.46, 0.4, 0.34, 0.29];
/** Names of tables are all of one size down to this one; a longer name is small by itself. */
const COMMON_SIZE = 0.6;

const element = (id) => document.getElementById(id);
const template = (id) => element(id).content.firstElementChild;

export class View {
  #board;
  #history;
  #timeZone;
  #tiles = new Map();
  #announcing = null;
  #frame = 0;

  /**
   * @param {{board: import("./display-board.js").Board, history: import("./display-history.js").History,
   *   timeZone: string}} options
   */
  constructor({ board, history, timeZone }) {
    this.#board = board;
    this.#history = history;
    this.#timeZone = timeZone;
    words.addEventListener("change", () => this.show());
    new ResizeObserver(() => this.show()).observe(element("tables"));
    new ResizeObserver(() => this.show()).observe(element("now"));
  }

  /** A call is announced from now on; null when that is over. */
  set announcing(call) {
    this.#announcing = call;
    this.show();
  }

  /** Much may change at once: one drawing for each frame of the screen. */
  show() {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.#draw();
    });
  }

  /** The name of a table, as it is shown in a language. */
  tableName(number, code = language()) {
    const name = this.#board.nameOf(number);
    return code === language()
      ? tableName({ number, name })
      : name || translate("common.table", { number: String(number) }, code);
  }

  #draw() {
    const { calls } = this.#history;
    const latest = calls.find((call) => this.#board.isChosen(call.table));
    const now = this.#announcing ?? (latest && this.#board.holds(latest) ? latest : null);
    this.#drawNow(now);
    this.#drawLast(calls.filter((call) => call.id !== now?.id && this.#board.isChosen(call.table)));
    this.#drawTables(now);
    this.#drawLine();
  }

  #drawNow(call) {
    const now = element("now");
    now.dataset.state = call ? "call" : "idle";
    now.classList.toggle("is-new", call !== null && call === this.#announcing);
    element("now-call").hidden = !call;
    element("now-idle").hidden = Boolean(call);
    element("now-number").textContent = call?.label ?? "";
    element("now-table").textContent = call ? this.tableName(call.table) : "";
    now.style.setProperty("--letters", Math.max(4, call?.label.length ?? 0));
    shrink(now, [element("now-table"), element("now-idle")]);
  }

  #drawLast(calls) {
    const rows = calls.slice(0, LAST_CALLS).map((call) => {
      const row = template("last-row").cloneNode(true);
      const [number, table, time] = row.querySelectorAll("[data-part]");
      number.textContent = call.label;
      table.textContent = this.tableName(call.table);
      time.textContent = call.at ? clock(call.at, this.#timeZone) : "";
      return row;
    });
    element("last").replaceChildren(...rows);
    element("last-none").hidden = rows.length > 0;
  }

  #drawTables(now) {
    const tables = this.#board.tables;
    const list = element("tables");
    const tiles = tables.map((table) => this.#tile(table, now));
    // Only what changed is touched: an animation goes on, and a screen reader keeps its place.
    if (tiles.some((tile, place) => list.children[place] !== tile) || tiles.length !== list.children.length) {
      list.replaceChildren(...tiles);
      const numbers = new Set(tables.map(({ number }) => number));
      for (const number of this.#tiles.keys()) if (!numbers.has(number)) this.#tiles.delete(number);
    }
    element("no-tables").hidden = tables.length > 0 || !this.#board.isKnown;
    document.body.dataset.tables = tables.length <= 2 ? "few" : tables.length <= 9 ? "some" : "many";
    const { columns, rows } = arrange(tables.length, list.clientWidth, list.clientHeight);
    list.style.setProperty("--columns", columns);
    list.style.setProperty("--rows", rows);
    const longest = Math.max(4, ...tables.map(({ shown }) => shown?.label.length ?? 0));
    list.style.setProperty("--letters", longest);
    this.#fitNames(list);
    shrink(list, list.querySelectorAll(".tile:not([data-state=serving]) .tile__state"), "--state-size");
  }

  #tile({ number, name, state, shown }, now) {
    const tile = this.#tiles.get(number) ?? template("tile").cloneNode(true);
    this.#tiles.set(number, tile);
    tile.dataset.table = number;
    tile.dataset.state = state;
    tile.classList.toggle("is-called", now !== null && now.table === number && now.id === shown?.id);
    tile.querySelector(".tile__name").textContent = tableName({ number, name });
    tile.querySelector("use").setAttribute("href", `#icon-${state}`);
    tile.querySelector(".tile__state").textContent = translate(`display.${state}`);
    tile.querySelector(".tile__number").textContent = shown?.label ?? "";
    return tile;
  }

  #fitNames(list) {
    const tiles = [...list.children];
    const sizes = new Map();
    for (const tile of tiles) tile.style.removeProperty("--size");
    for (const size of SIZES) {
      list.style.setProperty("--size", size);
      for (const tile of tiles) {
        if (!sizes.has(tile) && !overflows(tile.querySelector(".tile__name"))) sizes.set(tile, size);
      }
      if (sizes.size === tiles.length) break;
    }
    const common = Math.min(1, ...[...sizes.values()].filter((size) => size >= COMMON_SIZE));
    for (const tile of tiles) {
      tile.style.setProperty("--size", Math.min(common, sizes.get(tile) ?? SIZES.at(-1)));
    }
  }

  #drawLine() {
    const line = this.#board.line;
    element("line").hidden = !line;
    if (!line) return;
    if (line.waiting) setWord(element("waiting"), "common.waiting", { count: line.waiting });
    else setWord(element("waiting"), "common.nobodyWaiting");
    if (line.estimateS === null || line.estimateS === undefined) clearWord(element("estimate"));
    else setWord(element("estimate"), "display.newTicket", { wait: wait(line.estimateS) });
    shrink(element("line"), [element("waiting"), element("estimate")]);
  }
}

/** Make the texts of `box` smaller, all alike, until each fits where it stands. */
function shrink(box, texts, property = "--size") {
  for (const size of SIZES) {
    box.style.setProperty(property, size);
    if (![...texts].some(overflows)) return;
  }
}

const overflows = (text) =>
  text.scrollWidth > text.clientWidth + 1 || text.scrollHeight > text.clientHeight + 1;
