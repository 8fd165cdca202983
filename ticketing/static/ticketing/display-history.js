/**
 * The last calls, the latest first, kept over a reload of the page.
 *
 * Nothing personal is in it: numbers and tables, as everybody in the room has seen them.
 */

const STORAGE = "foyer.ticketing.display.calls";
/** As many as the largest screen lists, and a few for tables that are not shown. */
const MAX_CALLS = 24;
/** What was called longer ago says nothing to those who wait now. */
const MAX_AGE_MS = 3_600_000;

export class History {
  #calls = stored();

  /** A call that is being announced: {id, label, table}. A ticket called again moves to the front. */
  add(call) {
    this.#put({ ...call, at: Date.now() });
  }

  /**
   * What a snapshot shows, in the order in which the tickets were taken. What was called while this page
   * was away is listed too, without a time, since nobody here knows it.
   */
  merge(shown) {
    for (const call of shown) {
      const known = this.#calls.some(({ id, table }) => id === call.id && table === call.table);
      if (!known) this.#put({ ...call, at: null, seenAt: Date.now() });
    }
  }

  /** Calls of the last hour, the latest first: {id, label, table, at: ms | null}. */
  get calls() {
    const oldest = Date.now() - MAX_AGE_MS;
    return this.#calls.filter(({ at, seenAt }) => (at ?? seenAt) > oldest);
  }

  #put(call) {
    this.#calls = [call, ...this.calls.filter(({ id }) => id !== call.id)].slice(0, MAX_CALLS);
    localStorage.setItem(STORAGE, JSON.stringify(this.#calls));
  }
}

function stored() {
  try {
    const calls = JSON.parse(localStorage.getItem(STORAGE) ?? "[]");
    return Array.isArray(calls) ? calls : [];
  } catch {
    return [];
  }
}
