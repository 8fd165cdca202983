/**
 * The list of those who wait: the longest first, searched, and drawn in slices, since it may be very long.
 *
 * It changes under the clerk's hands, so rows are kept rather than made again, the focus stays where it is,
 * and a row somebody else has called says so for a moment before the rows below move up.
 */

import { whereIs } from "./staff-actions.js";
import { duration } from "./staff-time.js";
import { setWord, translate } from "./words.js";

/** More than a clerk looks through before searching, and drawn in a few milliseconds. */
const SLICE = 50;
const MORE = 100;
/** Long enough to be read, short enough not to be in the way. */
const LINGER_MS = 3_000;

const element = (id) => document.getElementById(id);

export class WaitingLine {
  #desk;
  #api;
  #call;
  #list = element("line");
  #search = element("search");
  #template = element("line-row").content.firstElementChild;
  #rows = new Map();
  #haystacks = new Map();
  /** Tickets that wait no more and whose rows still say so, by ID. */
  #leaving = new Map();
  #limit = SLICE;

  /**
   * @param {import("./staff-desk.js").Desk} desk
   * @param {import("./staff-api.js").Api} api whose clock waiting is counted by
   * @param {(ticket: object) => void} call what a row's button does
   */
  constructor(desk, api, call) {
    this.#desk = desk;
    this.#api = api;
    this.#call = call;
    this.#list.addEventListener("click", (event) => this.#onClick(event));
    this.#search.addEventListener("input", () => {
      this.#limit = SLICE;
      this.draw();
    });
    this.#search.addEventListener("keydown", (event) => this.#onSearchKey(event));
    element("line-more").addEventListener("click", () => this.#showMore());
    desk.addEventListener("gone", ({ detail }) => this.#linger(detail));
    desk.addEventListener("ready", () => this.#haystacks.clear());
  }

  /** Bring the list up to date. */
  draw() {
    const waiting = this.#desk.waiting();
    const text = normal(this.#search.value);
    const found = text ? waiting.filter((ticket) => this.#haystack(ticket).includes(text)) : waiting;
    const shown = found.slice(0, this.#limit);
    if (this.#desk.seat === null) this.#leaving.clear();
    for (const { id } of shown) this.#leaving.delete(id);
    const leaving = [...this.#leaving.values()].filter(({ id }) => this.#rows.has(id));
    this.#place([...shown, ...leaving].sort((a, b) => a.id - b.id));
    this.#sayHowMany(waiting.length, found.length, shown.length, Boolean(text));
    this.count();
  }

  /** Bring the times up to date. */
  count() {
    const now = this.#api.now();
    for (const [id, row] of this.#rows) {
      const ticket = this.#desk.tickets.get(id);
      const time = row.querySelector("time");
      if (ticket) put(time, duration(now - Date.parse(ticket.start)));
    }
  }

  /** Put the rows of these tickets, in order, and no others on the list. Rows that stay do not move. */
  #place(tickets) {
    const wanted = new Set(tickets.map(({ id }) => id));
    const focused = this.#list.contains(document.activeElement) && document.activeElement.closest("li");
    const heir = focused && !wanted.has(Number(focused.dataset.id)) ? this.#heir(focused, wanted) : null;
    for (const [id, row] of this.#rows) {
      if (wanted.has(id)) continue;
      row.remove();
      this.#rows.delete(id);
    }
    let next = this.#list.firstElementChild;
    for (const ticket of tickets) {
      const row = this.#rows.get(ticket.id) ?? this.#makeRow(ticket);
      if (row === next) next = next.nextElementSibling;
      else this.#list.insertBefore(row, next);
      this.#fill(row, ticket);
    }
    heir?.focus();
  }

  /** Who has the focus once this row is gone: the one after it, before it, or the heading. */
  #heir(row, wanted) {
    const stays = ({ dataset }) => wanted.has(Number(dataset.id)) && !this.#leaving.has(Number(dataset.id));
    const rows = [...this.#list.children];
    const place = rows.indexOf(row);
    const heir = rows.slice(place).find(stays) ?? rows.slice(0, place).findLast(stays);
    return heir?.querySelector("button") ?? element("line-title");
  }

  #makeRow(ticket) {
    const row = this.#template.cloneNode(true);
    row.dataset.id = ticket.id;
    this.#rows.set(ticket.id, row);
    return row;
  }

  #fill(row, ticket) {
    const gone = this.#leaving.get(ticket.id);
    for (const part of ["label", "name", "email"]) put(row.querySelector(`[data-part=${part}]`), ticket[part]);
    row.querySelector("time").dateTime = ticket.start;
    const button = row.querySelector("button");
    put(button, translate("staff.accept"));
    button.ariaDisabled = this.#desk.isCurrent ? null : "true";
    button.ariaLabel = translate("staff.acceptWhom", { label: ticket.label, name: ticket.name });
    row.classList.toggle("desk-row--gone", Boolean(gone));
    if (gone && row.contains(document.activeElement)) {
      row.tabIndex = -1;
      row.focus();
    }
    button.hidden = Boolean(gone);
    put(row.querySelector(".desk-row__gone"), gone?.words ?? "");
  }

  #linger({ ticket, before }) {
    if (!this.#rows.has(ticket.id)) return;
    const words =
      ticket.state === "serving" ? whereIs(ticket, this.#desk) : translate(`staff.state_${ticket.state}`);
    this.#leaving.set(ticket.id, { ...before, words });
    setTimeout(() => {
      if (this.#leaving.delete(ticket.id)) this.draw();
    }, LINGER_MS);
  }

  #sayHowMany(waiting, found, shown, searching) {
    const empty = element("line-empty");
    empty.hidden = found > 0;
    setWord(empty, searching && waiting ? "staff.nobodyFound" : "staff.lineEmpty");
    put(element("line-found"), searching ? translate("staff.found", { count: found }) : "");
    const more = element("line-more");
    more.hidden = found <= shown;
    setWord(more, "staff.more", { count: found - shown });
  }

  #showMore() {
    const last = this.#list.lastElementChild;
    this.#limit += MORE;
    this.draw();
    last?.nextElementSibling?.querySelector("button").focus();
  }

  #onClick({ target }) {
    const row = target.closest("button")?.closest("li");
    const ticket = row && this.#desk.tickets.get(Number(row.dataset.id));
    if (ticket) this.#call(ticket);
  }

  /** Enter goes to the first that was found, Escape back to everybody. */
  #onSearchKey(event) {
    if (event.key === "Enter") {
      this.#list.querySelector("button:not([hidden])")?.focus();
      event.preventDefault();
    }
    if (event.key === "Escape" && this.#search.value) {
      this.#search.value = "";
      this.draw();
    }
  }

  /** What a search looks through: A-017 is found as a017 and a17, too. */
  #haystack(ticket) {
    let text = this.#haystacks.get(ticket.id);
    if (text === undefined) {
      const { label, name, email } = ticket;
      const variants = [label, label.replace("-", ""), label.replace(/-?0*(?=[1-9])/, "")];
      text = normal([...variants, name, email].join("\n"));
      this.#haystacks.set(ticket.id, text);
    }
    return text;
  }
}

/** Without case and accents: nobody types them in a hurry. */
function normal(text) {
  return text.normalize("NFKD").replace(/\p{Mn}/gu, "").trim().toLowerCase();
}

function put(target, text) {
  if (target.textContent !== text) target.textContent = text;
}
