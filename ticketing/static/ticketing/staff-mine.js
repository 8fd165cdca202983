/** The visitors at my table, with all that can be done about them, and a look at the other tables. */

import { whereIs } from "./staff-actions.js";
import { duration, MINUTE_MS } from "./staff-time.js";
import { reword, setWord, translate } from "./words.js";

const STORAGE = "foyer.ticketing.called";
/** Of the list of other tables: more is not looked through. */
const MAX_ELSEWHERE = 100;
/** What ends a visit for good without having served anybody is asked about once. */
const ASKED = { noShow: ["askNoShow", "askNoShowYes"], cancel: ["askCancel", "askCancelYes"] };

const element = (id) => document.getElementById(id);

export class Mine {
  #desk;
  #actions;
  #api;
  #chooseTable;
  #list = element("mine");
  #template = element("mine-card").content.firstElementChild;
  #cards = new Map();
  /** When this page saw the ticket become mine, in ms by the server's clock; kept over a reload. */
  #since = new Map(JSON.parse(sessionStorage.getItem(STORAGE) ?? "[]"));
  #focusOn = 0;

  /**
   * @param {import("./staff-desk.js").Desk} desk
   * @param {import("./staff-actions.js").Actions} actions
   * @param {import("./staff-api.js").Api} api whose clock time is counted by
   * @param {(ticket: object) => Promise<object | null>} chooseTable where to hand a ticket on to
   */
  constructor(desk, actions, api, chooseTable) {
    this.#desk = desk;
    this.#actions = actions;
    this.#api = api;
    this.#chooseTable = chooseTable;
    this.#list.addEventListener("click", (event) => this.#onClick(event));
    this.#list.addEventListener("keydown", (event) => this.#onKey(event));
    desk.addEventListener("mine", ({ detail }) => this.#remember(detail.ticket));
    element("elsewhere").addEventListener("toggle", () => this.draw());
  }

  /** Put the focus on this ticket's card, now or as soon as there is one. */
  focusOn(ticketId) {
    this.#focusOn = ticketId;
  }

  draw() {
    const tickets = this.#desk.mine();
    this.#place(tickets);
    element("mine-empty").hidden = tickets.length > 0;
    this.#drawElsewhere();
    this.count();
  }

  /** Bring the times up to date. */
  count() {
    const now = this.#api.now();
    for (const [id, card] of this.#cards) {
      const since = this.#since.get(id);
      const ms = now - (since ?? Date.parse(this.#desk.tickets.get(id)?.start));
      const key = since ? "withYou" : "cameAgo";
      if (ms < MINUTE_MS) setWord(card.querySelector("time"), `staff.${key}Now`);
      else if (ms) setWord(card.querySelector("time"), `staff.${key}`, { time: duration(ms) });
    }
  }

  #remember(ticket) {
    this.#since.set(ticket.id, this.#api.now());
    const open = [...this.#since].filter(([id]) => this.#desk.tickets.has(id));
    this.#since = new Map(open);
    sessionStorage.setItem(STORAGE, JSON.stringify(open));
  }

  #place(tickets) {
    const active = document.activeElement;
    const hadFocus = this.#list.contains(active);
    const wanted = new Set(tickets.map(({ id }) => id));
    for (const [id, card] of this.#cards) {
      if (wanted.has(id)) continue;
      card.remove();
      this.#cards.delete(id);
    }
    for (const ticket of tickets) this.#fill(this.#cards.get(ticket.id) ?? this.#makeCard(ticket), ticket);
    const cards = tickets.map(({ id }) => this.#cards.get(id));
    if (cards.some((card, place) => card !== this.#list.children[place])) this.#list.replaceChildren(...cards);
    if (hadFocus) this.#keepFocus(active);
    if (this.#cards.has(this.#focusOn)) {
      this.#cards.get(this.#focusOn).focus();
      this.#focusOn = 0;
    }
  }

  /** What was focused may have been moved, which loses the focus, or be gone. */
  #keepFocus(active) {
    if (active === document.activeElement) return;
    if (active.isConnected && active.checkVisibility()) active.focus();
    else (this.#list.firstElementChild ?? element("next")).focus();
  }

  #makeCard(ticket) {
    const card = this.#template.cloneNode(true);
    card.dataset.id = ticket.id;
    const label = card.querySelector(".desk-card__label");
    label.id = `mine-${ticket.id}`;
    for (const button of card.querySelectorAll("button")) button.setAttribute("aria-describedby", label.id);
    reword(card);
    this.#cards.set(ticket.id, card);
    return card;
  }

  #fill(card, ticket) {
    for (const part of ["label", "name", "email"]) {
      card.querySelector(`[data-part=${part}]`).textContent = ticket[part];
    }
    card.ariaLabel = `${ticket.label} ${ticket.name}`;
    const idle = !this.#actions.isBusy(ticket.id) && this.#desk.isCurrent;
    for (const button of card.querySelectorAll("[data-do], [data-answer=yes]")) {
      button.ariaDisabled = idle ? null : "true";
    }
  }

  #onClick({ target }) {
    const button = target.closest("button");
    const card = button?.closest("li");
    const ticket = card && this.#desk.tickets.get(Number(card.dataset.id));
    if (!ticket) return;
    const { do: what, answer } = button.dataset;
    if (answer) this.#answered(card, ticket, answer);
    else if (what in ASKED) this.#ask(card, ticket, what);
    else if (what === "transfer") this.#transfer(ticket);
    else this.#actions[what](ticket);
  }

  async #transfer(ticket) {
    const table = await this.#chooseTable(ticket);
    if (table) this.#actions.transfer(ticket, table);
  }

  /** The question takes the place of the buttons: a second press in the same spot answers nothing. */
  #ask(card, ticket, what) {
    const ask = card.querySelector(".desk-card__ask");
    const [question, yes] = ASKED[what];
    card.dataset.asking = what;
    setWord(ask.querySelector("p"), `staff.${question}`, { label: ticket.label });
    setWord(ask.querySelector("[data-answer=yes]"), `staff.${yes}`);
    ask.ariaLabel = translate(`staff.${question}`, { label: ticket.label });
    card.querySelector(".desk-card__do").hidden = true;
    ask.hidden = false;
    ask.querySelector("[data-answer=yes]").focus();
  }

  #answered(card, ticket, answer) {
    const what = card.dataset.asking;
    const hadFocus = card.contains(document.activeElement);
    card.querySelector(".desk-card__ask").hidden = true;
    card.querySelector(".desk-card__do").hidden = false;
    if (hadFocus) card.querySelector(`[data-do=${what}]`).focus();
    if (answer === "yes") this.#actions[what](ticket);
  }

  #onKey(event) {
    const card = event.target.closest("li");
    if (event.key !== "Escape" || card.querySelector(".desk-card__ask").hidden) return;
    this.#answered(card, this.#desk.tickets.get(Number(card.dataset.id)), "no");
  }

  #drawElsewhere() {
    const tickets = this.#desk.elsewhere();
    const box = element("elsewhere");
    box.hidden = tickets.length === 0;
    setWord(element("elsewhere-title"), "staff.elsewhere", { count: tickets.length });
    if (!box.open) return;
    const rows = tickets.slice(0, MAX_ELSEWHERE).map((ticket) => {
      const row = document.createElement("li");
      const label = Object.assign(document.createElement("strong"), { textContent: ticket.label });
      const name = Object.assign(document.createElement("bdi"), { textContent: ticket.name });
      const where = Object.assign(document.createElement("span"), {
        className: "soft",
        textContent: whereIs(ticket, this.#desk),
      });
      row.append(label, name, where);
      return row;
    });
    element("elsewhere-list").replaceChildren(...rows);
  }
}
