/**
 * What the waiting room is shown, made from the lines of the display's socket. No DOM, no sound, no clock.
 *
 *     const board = new Board([0, 2]);            only these tables; null for all
 *     board.begin();                              a connection opened: its snapshot follows
 *     const fact = board.receive(line);           null, or {kind: "changed" | "ready" | "call", …}
 *
 * A connection begins with a snapshot, which ends with `ready`. It is built beside what is shown and takes
 * its place as a whole, so a reconnect never empties the screen, and what ended meanwhile is gone at once.
 * Lines: docs/protocols/ticketing.md.
 */

/** Labels of tickets no table shows any more are forgotten now and then, not one by one. */
const MAX_LABELS = 500;

class State {
  /** By number: {number, name, state, shown: {id, label} | null, held: Set of ids}. */
  tables = new Map();
  labels = new Map();
  /** {waiting, estimateS: seconds | null}; null until it was told. */
  line = null;

  table(number) {
    if (!this.tables.has(number)) {
      this.tables.set(number, { number, name: "", state: "offline", shown: null, held: new Set() });
    }
    return this.tables.get(number);
  }
}

/** A line's verb handler: changes `state`, tells whether that is to be seen. */
const APPLY = {
  table(state, rest) {
    const { number, name, state: tableState } = JSON.parse(rest);
    Object.assign(state.table(number), { name, state: tableState });
  },
  ticket(state, rest) {
    const { id, label } = JSON.parse(rest);
    if (state.labels.size > MAX_LABELS) forgetLabels(state);
    state.labels.set(id, label);
  },
  line(state, rest) {
    const { waiting, estimate_s: estimateS } = JSON.parse(rest);
    state.line = { waiting, estimateS };
  },
  pick(state, rest) {
    const table = state.table(Number(rest));
    if (table.state === "offline" || table.state === "off") table.state = "free";
  },
  unpick(state, rest) {
    const table = state.table(Number(rest));
    table.shown = null;
    table.held.clear();
    // A paused table leaves the plain display too; the `table` line says which of the two it is.
    if (table.state === "free" || table.state === "serving") table.state = "offline";
  },
  claimed(state, rest) {
    const [number, id] = rest.split(" ").map(Number);
    const table = state.table(number);
    table.shown = { id, label: state.labels.get(id) ?? String(id) };
    table.held.add(id);
  },
  complete: clear,
  cancel: clear,
};

function clear(state, rest) {
  const table = state.table(Number(rest));
  // Which of several ended is not said; the one that the table shows from now on comes next.
  table.held.clear();
  table.shown = null;
}

function forgetLabels(state) {
  const held = new Set([...state.tables.values()].flatMap((table) => [...table.held]));
  for (const id of state.labels.keys()) if (!held.has(id)) state.labels.delete(id);
}

export class Board {
  #chosen;
  #state = new State();
  #coming = null;
  #isKnown = false;

  /** @param {number[] | null} chosen numbers of the tables to show, in this order; null for all */
  constructor(chosen = null) {
    this.#chosen = chosen;
  }

  /** A snapshot follows. */
  begin() {
    this.#coming = new State();
  }

  /**
   * Apply one line. Returns `{kind: "ready"}` when a snapshot is complete, `{kind: "call", call}` when a
   * ticket is to be called out, `{kind: "changed"}` for whatever else is to be seen, and null for nothing.
   * A line this page does not know is a later version's: not its business.
   */
  receive(line) {
    const space = line.indexOf(" ");
    const verb = space < 0 ? line : line.slice(0, space);
    const rest = space < 0 ? "" : line.slice(space + 1);
    if (verb === "ready") return this.#complete();
    if (verb === "call") return this.#call(rest);
    if (!Object.hasOwn(APPLY, verb)) return null;
    APPLY[verb](this.#coming ?? this.#state, rest);
    return this.#coming || verb === "ticket" ? null : { kind: "changed" };
  }

  #complete() {
    if (this.#coming) this.#state = this.#coming;
    this.#coming = null;
    this.#isKnown = true;
    return { kind: "ready" };
  }

  #call(rest) {
    const [table, id] = rest.split(" ").map(Number);
    if (this.#coming || !this.isChosen(table)) return null;
    const label = this.#state.labels.get(id) ?? String(id);
    return { kind: "call", call: { id, label, table } };
  }

  /** Is this table among those of this screen? */
  isChosen(number) {
    return !this.#chosen || this.#chosen.includes(number);
  }

  /** Has there been a snapshot? Before it nothing is known, which is not the same as nothing being there. */
  get isKnown() {
    return this.#isKnown;
  }

  /** The tables to show: `{number, name, state, shown}`; `state` is offline, paused, free or serving. */
  get tables() {
    const known = this.#state.tables;
    const numbers = this.#chosen ?? [...known.keys()].sort((one, other) => one - other);
    return numbers
      .filter((number) => known.has(number))
      .map((number) => known.get(number))
      .filter((table) => table.state !== "off" || table.shown)
      .map((table) => ({ ...table, state: seenState(table) }));
  }

  /** {waiting, estimateS: seconds | null}; null until it was told. */
  get line() {
    return this.#state.line;
  }

  /** A table's name as it was given, "" where it has none. */
  nameOf(number) {
    return this.#state.tables.get(number)?.name ?? "";
  }

  /** Is the ticket of this call still at this table? */
  holds({ id, table }) {
    return this.#state.tables.get(table)?.held.has(id) ?? false;
  }

  /** What chosen tables show, as calls, in the order in which the tickets were taken. */
  get shown() {
    return this.tables
      .filter(({ shown }) => shown)
      .map(({ number, shown }) => ({ ...shown, table: number }))
      .sort((one, other) => one.id - other.id);
  }
}

/** The ticket decides between free and serving: it is what people look for. */
function seenState({ state, shown }) {
  if (shown) return "serving";
  return state === "serving" ? "free" : state;
}
