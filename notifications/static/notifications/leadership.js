/**
 * Which one of the browser's tabs leads: the one that has the lock. When it is closed, or leaves, the browser
 * gives the lock to the next. Where there are no locks (plain HTTP from another machine) every tab leads.
 */

export class Leadership {
  #name;
  #won;
  #lost;
  #stay = null;

  /**
   * @param {string} name of the lock
   * @param {() => void} won called when this tab leads
   * @param {() => void} lost called when another has taken the lead away
   */
  constructor(name, won, lost) {
    this.#name = name;
    this.#won = won;
    this.#lost = lost;
  }

  /** Can there be a tab that leads others? */
  get isShared() {
    return Boolean(navigator.locks);
  }

  /** Be ready to lead. */
  enter() {
    this.#stay = new AbortController();
    if (this.isShared) this.#request({ signal: this.#stay.signal });
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

  async #request(options) {
    const { signal } = this.#stay;
    const hold = async () => {
      if (signal.aborted) return;
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
      this.#lost();
      this.#request({ signal });
    }
  }
}
