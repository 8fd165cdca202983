/**
 * What the one tab does that has the connection: it asks for all tabs, and tells all of them what it hears.
 *
 * It tells ``tell(type, detail)``: "state", as <live-state> reads it; "news", "reload", "ready" and "refused",
 * as the connection has them; "counts", what is unread by type; "marked", the options of a mark that was made
 * here, of which the server tells everyone else but this connection.
 */

import { Connection, LIST, MARK, SUBSCRIPTION } from "./connection.js";
import { Counts } from "./counts.js";

const typesOf = (notifications) => notifications.map(({ type }) => type);

export class Leader {
  #connection;
  #counts;
  #tell;
  /** How many lists of some types are being fetched, by their subscription's types. */
  #fetching = new Map();

  /**
   * @param {{path: string, token: () => string, tell: (type: string, detail: any) => void}} parts
   */
  constructor({ path, token, tell }) {
    this.#tell = tell;
    this.#connection = new Connection(path, token);
    this.#counts = new Counts((command, options) => this.#connection.ask(command, options));
    this.#counts.addEventListener("change", () => tell("counts", this.#counts.unread));
    this.#connection.addEventListener("state", () => tell("state", this.state));
    this.#connection.addEventListener("refused", ({ detail }) => tell("refused", detail));
    this.#connection.addEventListener("news", ({ detail }) => {
      tell("news", detail);
      this.#counts.changed([detail.type]);
    });
    for (const type of ["reload", "ready"]) {
      this.#connection.addEventListener(type, ({ detail }) => {
        tell(type, detail);
        this.#counts.recount();
      });
    }
  }

  get state() {
    const { state, since, wasLive, retryAt, lastClose } = this.#connection;
    return { state, since, wasLive, retryAt, lastClose };
  }

  /** Go on where another tab, or nobody, has left off. */
  start({ lastId, counts }) {
    this.#counts.start(counts);
    this.#connection.start(lastId);
  }

  /** Do not wait for the next attempt. */
  tryNow() {
    this.#connection.start();
  }

  /** Somebody looks: is all well? */
  check() {
    this.#connection.ping();
  }

  stop() {
    this.#counts.stop();
    this.#connection.stop();
  }

  /** Gives the payload of the answer; throws an Error in words. See `SharedConnection.ask`. */
  async ask({ command, options, types, onlyNow }) {
    if (command === LIST) return this.#list(options);
    const { payload } = await this.#connection.ask(command, options, { onlyNow });
    if (command === MARK) {
      this.#tell("marked", options);
      this.#counts.changed(types);
    }
    return payload;
  }

  async #list(options) {
    const key = JSON.stringify(options.where.types);
    this.#fetching.set(key, (this.#fetching.get(key) ?? 0) + 1);
    let answer;
    try {
      answer = await this.#connection.ask(LIST, options);
    } finally {
      this.#fetching.set(key, this.#fetching.get(key) - 1);
    }
    this.#counts.learn(typesOf(answer.payload));
    // Everything new is told of the list of all; of one of a type it would be told twice. But as long as one
    // is being fetched the server has to say what that has not got yet.
    if (options.where.types.length && !this.#fetching.get(key)) this.#unsubscribe(answer.event);
    return answer.payload;
  }

  #unsubscribe(event) {
    this.#connection.ask(SUBSCRIPTION, { ids: [event], action: "unsubscribe" }).catch(() => {});
  }
}
