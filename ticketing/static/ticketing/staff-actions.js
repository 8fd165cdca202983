/**
 * What a clerk can do, each as one call that says what came of it.
 *
 * The protocol's verbs go over the socket, the others over the HTTP API. What was done is seen when the
 * server tells of it, never before; what was refused is explained in a clerk's words. That somebody else was
 * faster is the everyday of a desk and passes by as a toast; what needs a clerk stays on the page.
 */

import { toast } from "../realtime/notice.js";
import { SIGNED_OUT } from "./staff-api.js";
import { tableName, translate } from "./words.js";

/** Words for refusals that a look at the page explains. */
const PASSING = {
  NOBODY_WAITS: "nobodyWaits",
  TICKET_ENDED: "ticketEnded",
  UNKNOWN_TICKET: "ticketEnded",
  NOT_OWNER: "notYours",
  NOT_SERVED: "notYours",
  NO_TABLE: "noTable",
  TABLE_EMPTY: "tableEmpty",
  SAME_TABLE: "sameTable",
  TABLE_PAUSED: "tablePaused",
};
/** Done already, by another window: nothing to say. */
const SILENT = ["ALREADY_PAUSED", "NOT_PAUSED"];
/** Words for what a clerk has to know of. */
const LASTING = { AWAY: "away", RATE_LIMITED: "tooFast", UNAVAILABLE: "unavailable" };

/** How long it may take until the server tells who called a ticket first. */
const WINNER_MS = 2_000;
/** How long a change may take to arrive after it was asked for, and still count as one's own. */
const OWN_MS = 10_000;

/** Fires "change" when something begins or ends to be under way, "signed-out" when the token is refused. */
export class Actions extends EventTarget {
  #desk;
  #api;
  #busy = new Set();
  /** What my own doing makes of tickets: {state, at} by ID. */
  #doing = new Map();
  #problem;

  /**
   * @param {import("./staff-desk.js").Desk} desk
   * @param {import("./staff-api.js").Api} api
   * @param {(key: string, values?: object) => void} problem shows a word that stays; "" takes it away
   */
  constructor(desk, api, problem) {
    super();
    this.#desk = desk;
    this.#api = api;
    this.#problem = problem;
    desk.addEventListener("ready", () => problem(""));
  }

  /** Is something under way with "next", "table", or the ticket of this ID? */
  isBusy(what) {
    return this.#busy.has(what);
  }

  /** Is the ticket in this state because this page has just asked for it? */
  isOwnDoing({ id, state }) {
    const doing = this.#doing.get(id);
    return doing?.state === state && Date.now() - doing.at < OWN_MS;
  }

  next() {
    return this.#run("next", null, () => this.#post("next"));
  }

  accept(ticket) {
    return this.#run(ticket.id, ticket, () => this.#desk.command("accept", ticket.id));
  }

  complete(ticket) {
    return this.#run(ticket.id, ticket, () => this.#desk.command("complete", ticket.id), "completed");
  }

  cancel(ticket) {
    return this.#run(ticket.id, ticket, () => this.#desk.command("cancel", ticket.id), "cancelled");
  }

  noShow(ticket) {
    return this.#run(ticket.id, ticket, () => this.#post(`tickets/${ticket.id}/no-show`), "no_show");
  }

  release(ticket) {
    return this.#run(ticket.id, ticket, () => this.#post(`tickets/${ticket.id}/release`), "waiting");
  }

  async recall(ticket) {
    const code = await this.#run(ticket.id, ticket, () => this.#post(`tickets/${ticket.id}/recall`));
    if (code === "") toast(translate("staff.recalled", { label: ticket.label }));
  }

  async transfer(ticket, table) {
    const send = () => this.#post(`tickets/${ticket.id}/transfer`, { table: table.number });
    const code = await this.#run(ticket.id, ticket, send, "serving");
    if (code === "") {
      toast(translate("staff.transferred", { label: ticket.label, table: tableName(table) }));
    }
  }

  /** Pause my table, or go on. */
  pause() {
    const verb = this.#desk.table?.state === "paused" ? "resume" : "pause";
    return this.#run("table", null, () => this.#post(`tables/${this.#desk.seat}/${verb}`));
  }

  /** Leave my table. */
  leave() {
    return this.#run("table", null, () => this.#desk.command("unpick"));
  }

  async #post(path, body) {
    return (await this.#api.post(path, body)).code;
  }

  /**
   * Do `work`, which takes a ticket of mine to `state`, where it does.
   *
   * Gives "" or a code; undefined where nothing was asked of the server.
   */
  async #run(what, ticket, work, state) {
    if (this.#busy.has(what)) return undefined;
    if (!this.#desk.isCurrent) {
      toast(translate("staff.notLiveNow"));
      return undefined;
    }
    this.#setBusy(what, true);
    if (state) this.#doing.set(ticket.id, { state, at: Date.now() });
    const code = await work();
    this.#setBusy(what, false);
    if (code) this.#explain(code, ticket);
    else this.#problem("");
    return code;
  }

  #setBusy(what, busy) {
    if (busy) this.#busy.add(what);
    else this.#busy.delete(what);
    this.dispatchEvent(new Event("change"));
  }

  #explain(code, ticket) {
    const label = ticket?.label ?? "";
    if (ticket) this.#doing.delete(ticket.id);
    if (code === SIGNED_OUT) this.dispatchEvent(new Event("signed-out"));
    else if (code === "TICKET_CLAIMED") this.#tellWinner(ticket);
    else if (code in PASSING) toast(translate(`staff.${PASSING[code]}`, { label }));
    else if (!SILENT.includes(code)) this.#problem(`staff.${LASTING[code] ?? "failed"}`);
  }

  /** Who was faster: the server tells it with the ticket's new state, before or after the refusal. */
  #tellWinner({ id, label }) {
    const told = () => {
      const ticket = this.#desk.tickets.get(id);
      if (ticket?.state !== "serving") return false;
      clearTimeout(giveUp);
      this.#desk.removeEventListener("change", told);
      toast(translate("staff.wonBy", { label, who: whereIs(ticket, this.#desk) }));
      return true;
    };
    const giveUp = setTimeout(() => {
      this.#desk.removeEventListener("change", told);
      toast(translate("staff.won", { label }));
    }, WINNER_MS);
    if (!told()) this.#desk.addEventListener("change", told);
  }
}

/** Who serves a ticket and where, in words: "Ana, Table 2". */
export function whereIs({ staff, table }, desk) {
  const known = desk.tables.get(table);
  return [staff, known && tableName(known)].filter(Boolean).join(translate("staff.comma"));
}
