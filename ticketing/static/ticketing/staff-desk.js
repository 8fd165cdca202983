/**
 * The desk as the server tells it over the socket: tables, who waits, who is being served and by whom.
 *
 * Kept from the lines of the extended protocol alone (docs/protocols/ticketing.md): `ticket`, `table`,
 * `line`, `ready`; the plain lines say the same again. After each pick the tickets are told anew, and take
 * the place of what was known once `ready` says that they are complete.
 *
 * Events, the first for everything that may be seen, the others for what a clerk has to be told:
 *
 *     change      something shown is not as it was
 *     connected   the tables are known, after each connect: time to pick one
 *     ready       who waits and who is served is known (again)
 *     arrived     detail: a ticket that waits, new or back in the line
 *     mine        detail: {ticket, by}: it is mine now; `by` is whose it was, "" for one that waited
 *     gone        detail: {ticket, before}: one that waited was called by somebody else, or is done with
 *     lost        detail: ticket that was mine and now is not
 *     unseated    the table is not mine any more, and I did not leave it
 *     signed-out  the token is not valid any more
 */

import { FAILED } from "./staff-api.js";

/** Nothing came back: what was asked for may or may not have been done. */
export const LOST = "AWAY";

/** The protocol has sentences where the API has codes. */
const CODES = {
  "the chosen table is not available": "TABLE_UNAVAILABLE",
  "the provided token does not belong to any staff member": "TOKEN_INVALID",
  "your session token was found to be invalid. please relogin": "TOKEN_INVALID",
  "you do not have a table chosen": "NO_TABLE",
  "you are not assigned to any table": "NO_TABLE",
  "you do not have a table assigned": "NO_TABLE",
  "ticket id does not exist": "UNKNOWN_TICKET",
  "the ticket has already been completed or cancelled": "TICKET_ENDED",
  "this ticket is now claimed": "TICKET_CLAIMED",
  "you do not own this ticket": "NOT_OWNER",
  "too many messages": "RATE_LIMITED",
  "not available now. please try again": "UNAVAILABLE",
};

const isOpen = ({ state }) => state === "waiting" || state === "serving";

export class Desk extends EventTarget {
  #socket;
  #staffId;
  /** Commands go out one at a time: an error does not say which of several it is about. */
  #commands = [];
  /** What is told of tickets between a pick and its `ready`, else null. */
  #incoming = null;
  /** Did the server give me my table over this very connection? */
  #confirmed = false;

  /** By number: {number, name, state}, as in the `table` line. */
  tables = new Map();
  /** By ID, those waiting and those being served; later calls come later. */
  tickets = new Map();
  /** The number of my table, or null. */
  seat = null;

  /**
   * @param {import("../realtime/socket.js").LiveSocket} socket
   * @param {number} staffId who "I" am
   */
  constructor(socket, staffId) {
    super();
    this.#socket = socket;
    this.#staffId = staffId;
    socket.addEventListener("message", ({ data }) => this.receive(data));
    socket.addEventListener("state", () => socket.state === "live" || this.#disconnected());
  }

  /** Who waits, the longest first. */
  waiting() {
    return [...this.tickets.values()].filter(({ state }) => state === "waiting").sort((a, b) => a.id - b.id);
  }

  /** My tickets, the one called last first: it is what my table shows. */
  mine() {
    return [...this.tickets.values()].filter((ticket) => this.isMine(ticket)).reverse();
  }

  /** What the others are serving. */
  elsewhere() {
    return [...this.tickets.values()].filter(
      (ticket) => ticket.state === "serving" && !this.isMine(ticket),
    );
  }

  isMine(ticket) {
    return ticket?.state === "serving" && ticket.staff_id === this.#staffId;
  }

  /** May commands be sent: is what is shown up to date? */
  get isCurrent() {
    return this.#confirmed && !this.#incoming;
  }

  /** My table, or undefined. */
  get table() {
    return this.tables.get(this.seat);
  }

  /** Nobody may see who waits any more. */
  forget() {
    this.seat = this.#incoming = null;
    this.#confirmed = false;
    this.tickets = new Map();
    this.#tell("change");
  }

  /** Send a command of the protocol. Gives "" or the code of why not, once the server has answered. */
  command(...words) {
    return new Promise((resolve) => {
      this.#commands.push({ text: words.join(" "), verb: words[0], resolve });
      if (this.#commands.length === 1) this.#send();
    });
  }

  /** Take in one line of the server. */
  receive(text) {
    const space = text.indexOf(" ");
    const verb = space < 0 ? text : text.slice(0, space);
    const rest = space < 0 ? "" : text.slice(space + 1);
    switch (verb) {
      case "ticket":
        return this.#onTicket(JSON.parse(rest));
      case "table":
        return this.#onTable(JSON.parse(rest));
      case "success":
        return this.#onSuccess(rest);
      case "error":
        return this.#onError(rest);
      case "ready":
        return this.#onReady();
      case "signed-out":
        return this.#tell("signed-out");
    }
  }

  #onSuccess(rest) {
    const [verb, argument] = rest.split(" ");
    if (verb === "pick") {
      this.seat = Number(argument);
      this.#confirmed = true;
      this.#incoming = new Map();
    }
    if (verb === "unpick") this.forget();
    this.#answer("");
    this.#tell("change");
  }

  #onError(rest) {
    const sentence = this.#commands[0] ? rest.replace(`${this.#commands[0].verb} `, "") : rest;
    this.#answer(CODES[sentence] ?? CODES[rest.replace("message ", "")] ?? FAILED);
  }

  #onReady() {
    if (!this.#incoming) {
      this.#tell("change");
      this.#tell("connected");
      return;
    }
    this.tickets = this.#incoming;
    this.#incoming = null;
    this.#tell("change");
    this.#tell("ready");
  }

  #onTable(table) {
    this.tables.set(table.number, table);
    // Known by its table: a manager freed it, or I sat down at another one in another window.
    if (this.#confirmed && table.number === this.seat && !isSeated(table)) {
      this.forget();
      this.#tell("unseated");
    }
    this.#tell("change");
  }

  #onTicket(ticket) {
    const tickets = this.#incoming ?? this.tickets;
    const before = tickets.get(ticket.id);
    // To the end: a ticket called once more is the one that my table shows.
    tickets.delete(ticket.id);
    if (isOpen(ticket)) tickets.set(ticket.id, ticket);
    if (!this.#incoming) this.#tellOf(ticket, before);
  }

  #tellOf(ticket, before) {
    if (ticket.state === "waiting") {
      if (this.isMine(before)) this.#tell("lost", { ticket, before });
      if (before?.state !== "waiting") this.#tell("arrived", ticket);
    } else if (this.isMine(ticket)) {
      if (!this.isMine(before)) this.#tell("mine", { ticket, by: before?.staff ?? "" });
    } else if (this.isMine(before)) {
      this.#tell("lost", { ticket, before });
    } else if (before?.state === "waiting") {
      this.#tell("gone", { ticket, before });
    }
    this.#tell("change");
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  #send() {
    if (!this.#socket.send(this.#commands[0].text)) this.#answer(LOST);
  }

  #answer(code) {
    const command = this.#commands.shift();
    command?.resolve(code);
    if (this.#commands.length) this.#send();
  }

  #disconnected() {
    for (const { resolve } of this.#commands.splice(0)) resolve(LOST);
    this.#incoming = null;
    this.#confirmed = false;
    this.#tell("change");
  }
}

/** Is somebody at this table? */
export function isSeated({ state }) {
  return state === "paused" || state === "free" || state === "serving";
}
