/** Tables to choose from: where to sit down, and whom to hand a visitor on to. */

import { isSeated } from "./staff-desk.js";
import { setWord, tableName, translate } from "./words.js";

/** Tables change in bursts, when a shift begins: who sits where is asked for once after each. */
const ASK_AFTER_MS = 500;

const element = (id) => document.getElementById(id);

export class Tables {
  #desk;
  #api;
  #staffId;
  #template = element("table-choice").content.firstElementChild;
  /** Who sits where, by number: {id, name}. A nicety: the socket does not tell it. */
  #people = new Map();
  #asking = 0;
  #seen = "";
  #transfer = element("transfer");
  #ticket = null;

  /**
   * @param {import("./staff-desk.js").Desk} desk
   * @param {import("./staff-api.js").Api} api
   * @param {number} staffId who "I" am
   * @param {(number: number) => void} pick what choosing a table to sit at does
   */
  constructor(desk, api, staffId, pick) {
    this.#desk = desk;
    this.#api = api;
    this.#staffId = staffId;
    element("tables").addEventListener("click", ({ target }) => {
      const button = target.closest("button");
      if (button && button.ariaDisabled !== "true") pick(Number(button.dataset.table));
    });
    element("transfer-tables").addEventListener("click", ({ target }) => {
      const button = target.closest("button");
      if (button) this.#transfer.close(button.dataset.table);
    });
    this.#transfer.addEventListener("click", closeOnBackdrop);
    element("leaving").addEventListener("click", closeOnBackdrop);
  }

  /** Bring what is shown of it up to date. */
  draw() {
    const choosing = !element("view-tables").hidden;
    if (!choosing && !this.#transfer.open) return;
    this.#askWhoSitsWhere();
    const tables = [...this.#desk.tables.values()].sort((a, b) => a.number - b.number);
    if (choosing) this.#drawChoice(tables.filter(({ state }) => state !== "off"));
    if (this.#transfer.open) this.#drawTransfer(tables.filter((table) => this.#isOther(table)));
  }

  #isOther(table) {
    return isSeated(table) && table.number !== this.#desk.seat;
  }

  #drawChoice(tables) {
    element("tables-empty").hidden = tables.length > 0;
    this.#fill(element("tables"), tables, (table) => {
      const person = this.#people.get(table.number);
      if (!isSeated(table)) return { words: translate("staff.tableFree") };
      if (person?.id === this.#staffId) return { words: translate("staff.tableYours") };
      return { words: taken(person), isTaken: true };
    });
  }

  #drawTransfer(tables) {
    element("transfer-empty").hidden = tables.length > 0;
    this.#fill(element("transfer-tables"), tables, (table) => {
      const state = translate(`staff.table_${table.state}`);
      const name = this.#people.get(table.number)?.name;
      const words = [name, state].filter(Boolean).join(translate("staff.comma"));
      return { words, isTaken: table.state === "paused" };
    });
  }

  /** Buttons stay the same elements as long as their table is there: so the focus stays, too. */
  #fill(list, tables, describe) {
    const items = new Map([...list.children].map((item) => [item.dataset.table, item]));
    const active = document.activeElement;
    const wanted = tables.map((table) => {
      const item = items.get(String(table.number)) ?? this.#template.cloneNode(true);
      const button = item.firstElementChild;
      const { words, isTaken = false } = describe(table);
      item.dataset.table = button.dataset.table = table.number;
      button.ariaDisabled = isTaken ? "true" : null;
      put(button.querySelector(".desk-table__name"), tableName(table));
      put(button.querySelector(".desk-table__state"), words);
      return item;
    });
    if (wanted.length !== list.children.length || wanted.some((item, n) => item !== list.children[n])) {
      list.replaceChildren(...wanted);
      if (active?.isConnected && active !== document.activeElement) active.focus();
    }
  }

  /** Have the clerk choose the table to hand a ticket on to. Gives the table, or null. */
  chooseFor(ticket) {
    this.#ticket = ticket;
    setWord(element("transfer-title"), "staff.transferTitle", { label: ticket.label });
    this.#transfer.returnValue = "";
    this.#transfer.showModal();
    this.#seen = "";
    this.draw();
    element("transfer-tables").querySelector("button")?.focus();
    return new Promise((resolve) => {
      const done = () => {
        const chosen = this.#desk.tables.get(Number(this.#transfer.returnValue || NaN));
        this.#ticket = null;
        resolve(chosen ?? null);
      };
      this.#transfer.addEventListener("close", done, { once: true });
    });
  }

  /** Close the dialog if the ticket it is about is not mine any more. */
  checkTransfer() {
    if (this.#ticket && !this.#desk.isMine(this.#desk.tickets.get(this.#ticket.id))) this.#transfer.close("");
  }

  /** Ask before leaving with visitors at the table. Gives whether to leave. */
  async confirmLeaving(tickets) {
    if (!tickets.length) return true;
    const dialog = element("leaving");
    const labels = tickets.map(({ label }) => label).join(translate("staff.comma"));
    setWord(element("leaving-text"), "staff.leavingText", { labels });
    dialog.returnValue = "";
    dialog.showModal();
    await new Promise((resolve) => dialog.addEventListener("close", resolve, { once: true }));
    return dialog.returnValue === "leave";
  }

  /** Only when another table has somebody than when it was last asked. */
  #askWhoSitsWhere() {
    const seen = [...this.#desk.tables.values()].map((table) => `${table.number}${isSeated(table)}`).join();
    if (seen === this.#seen) return;
    const delay = this.#seen ? ASK_AFTER_MS : 0;
    this.#seen = seen;
    clearTimeout(this.#asking);
    this.#asking = setTimeout(async () => {
      if (!this.#api.token) return;
      const { code, body } = await this.#api.get("tables?limit=500");
      if (code) return;
      this.#people = new Map(body.results.filter(({ staff }) => staff).map(({ number, staff }) => [number, staff]));
      this.draw();
    }, delay);
  }
}

function taken(person) {
  return person ? translate("staff.tableTakenBy", { name: person.name }) : translate("staff.tableTaken");
}

function put(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

/** A click beside a dialog closes it, as everywhere. */
export function closeOnBackdrop(event) {
  if (event.target === event.currentTarget) event.currentTarget.close("");
}
