/**
 * Calls, one after another: what is called while another call is being announced waits for its end.
 *
 *     const callOut = new CallOut({ announce, isCurrent });
 *     callOut.add({ id: 5, label: "A-017", table: 3 });
 *
 * `announce(call)` makes a call seen and heard and returns a promise of its end. `isCurrent(call)` is asked
 * when a call's turn has come: a ticket that was finished or called off meanwhile is not called any more.
 * While it waits a ticket is in the queue once: a second call for it takes the first one's place, since its
 * table may be another. A call for the ticket that is being announced is a new one: somebody called again.
 * No DOM, no sound, no clock.
 */
export class CallOut {
  #announce;
  #isCurrent;
  #waiting = [];
  #busy = false;

  constructor({ announce, isCurrent = () => true }) {
    this.#announce = announce;
    this.#isCurrent = isCurrent;
  }

  /** How many calls wait for their turn. */
  get length() {
    return this.#waiting.length;
  }

  add(call) {
    const same = this.#waiting.findIndex(({ id }) => id === call.id);
    if (same < 0) this.#waiting.push(call);
    else this.#waiting[same] = call;
    if (!this.#busy) this.#run();
  }

  async #run() {
    this.#busy = true;
    while (this.#waiting.length) {
      const call = this.#waiting.shift();
      if (!this.#isCurrent(call)) continue;
      try {
        await this.#announce(call);
      } catch (error) {
        // One call that failed must not silence all that follow.
        console.error(error);
      }
    }
    this.#busy = false;
  }
}
