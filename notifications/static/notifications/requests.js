/**
 * Requests of one connection, and which answer is whose. Pure bookkeeping: what is to go out is given to `send`.
 *
 * What a lost connection left unanswered is asked again on the next, but for what is only good now: nothing
 * that is asked here does more when it is asked twice.
 */

/** The server takes 64. */
const MAX_IN_FLIGHT = 32;
/** So long a request waits: for a connection that is being made, and for its answer. */
const PATIENCE_MS = 8_000;

export class Requests {
  #send;
  #open = false;
  #rid = 0;
  /** Without an answer, by rid; and those that are still to be sent. */
  #asked = new Map();
  #waiting = [];

  /** @param {(frame: {rid: number, command: string, options: object}) => void} send */
  constructor(send) {
    this.#send = send;
  }

  /** As soon as the connection is open. Gives the answer; throws an Error in words, the server's if it has some. */
  put(command, options) {
    return this.#promise({ command, options }, (request) => {
      this.#waiting.push(request);
      this.#sendWaiting();
    });
  }

  /** At once, on this connection or not at all: throws an Error as well when it is lost. */
  putNow(command, options) {
    return this.#promise({ command, options, onlyNow: true }, (request) => this.#sendOne(request));
  }

  /** An answer came. */
  answer({ rid, event, status, payload }) {
    const request = this.#asked.get(rid);
    this.#asked.delete(rid);
    if (status === "ok") request?.resolve({ event, payload });
    else request?.reject(Object.assign(new Error(payload?.message ?? "The server refuses."), { status }));
    this.#sendWaiting();
  }

  /** The connection is open: what waits is sent. */
  open() {
    this.#open = true;
    this.#sendWaiting();
  }

  /** The connection is lost: what had no answer waits for the next. */
  lost() {
    this.#open = false;
    const unanswered = [...this.#asked.values()];
    this.#asked.clear();
    this.#waiting.unshift(...unanswered.filter(({ onlyNow }) => !onlyNow));
    for (const { onlyNow, reject } of unanswered) if (onlyNow) reject(new Error("The connection was lost."));
  }

  /** Nobody waits for anything any more. */
  end() {
    this.lost();
    for (const { reject } of this.#waiting.splice(0)) reject(new Error("The connection was ended."));
  }

  async #promise(request, start) {
    const patience = setTimeout(() => this.#giveUp(request), PATIENCE_MS);
    try {
      return await new Promise((resolve, reject) => {
        Object.assign(request, { resolve, reject });
        start(request);
      });
    } finally {
      clearTimeout(patience);
    }
  }

  #giveUp(request) {
    this.#asked.delete(request.rid);
    this.#waiting = this.#waiting.filter((other) => other !== request);
    request.reject(new Error(this.#open ? "The server does not answer." : "There is no connection to the server."));
    this.#sendWaiting();
  }

  #sendWaiting() {
    while (this.#open && this.#waiting.length && this.#asked.size < MAX_IN_FLIGHT) {
      this.#sendOne(this.#waiting.shift());
    }
  }

  #sendOne(request) {
    this.#rid += 1;
    request.rid = this.#rid;
    this.#asked.set(request.rid, request);
    this.#send({ rid: request.rid, command: request.command, options: request.options });
  }
}
