/**
 * Which one of the browser's tabs leads: the one that has the lock. When it is closed, or leaves, the browser
 * gives the lock to the next. Where there are no locks (plain HTTP from another machine) every tab leads.
 */

export class Leadership {
  #name = "";
  #won;
  #lost;
  #stay = null;
  /** Does it wait for the lock? And the request by which it has it. */
  #waits = false;
  #held = null;

  /**
   * @param {() => void} won called when this tab leads
   * @param {() => void} lost called when another has taken the lead away
   */
  constructor(won, lost) {
    this.#won = won;
    this.#lost = lost;
  }

  /** Can there be a tab that leads others? */
  get isShared() {
    return Boolean(navigator.locks);
  }

  /** Be ready to lead those that entered with this name: that of the lock. */
  enter(name) {
    this.#name = name;
    this.#stay = new AbortController();
    if (this.isShared) this.#wait();
    else this.#won();
  }

  /** Lead now, whoever does: one that is frozen in the background keeps its lock, and answers nobody. */
  steal() {
    if (this.#stay) this.#request({ steal: true });
  }

  /** Lead no more. */
  leave() {
    this.#stay?.abort();
    this.#stay = null;
  }

  #wait() {
    this.#waits = true;
    this.#request({ signal: this.#stay.signal });
  }

  async #request(options) {
    const { signal } = this.#stay;
    const hold = async () => {
      if (signal.aborted) return;
      if (!options.steal) this.#waits = false;
      this.#held = hold;
      this.#won();
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
    };
    try {
      await navigator.locks.request(this.#name, options, hold);
    } catch (error) {
      if (signal.aborted) return;
      if (error.name !== "AbortError") {
        // The browser lets this page have none.
        this.#won();
        return;
      }
      // It may have been this tab that took it from itself.
      if (this.#held === hold) this.#lost();
      if (!this.#waits) this.#wait();
    }
  }
}
