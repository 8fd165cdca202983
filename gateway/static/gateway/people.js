/** Who is who: names, each asked for once. */

const UNKNOWN = "Somebody";

export class People {
  #api;
  /** Profiles by id, and promises of those that were asked for. */
  #known = new Map();
  #asked = new Map();

  /** @param {import("../realtime/api.js").Api} api */
  constructor(api) {
    this.#api = api;
  }

  /** Somebody's profile came along with something else. */
  learn(profile) {
    this.#known.set(profile.id, profile);
  }

  /** Put somebody's name into an element, as soon as it is known. */
  show(element, id) {
    element.textContent = this.#known.get(id)?.displayName ?? "…";
    element.title = this.#known.has(id) ? `@${this.#known.get(id).username}` : "";
    if (!this.#known.has(id)) this.profile(id).then(() => this.#known.has(id) && this.show(element, id));
  }

  /** The name, or "Somebody" where it cannot be had now. */
  async name(id) {
    return (await this.profile(id))?.displayName ?? UNKNOWN;
  }

  /** A profile, or null where it cannot be had now. */
  async profile(id) {
    if (!this.#known.has(id)) {
      if (!this.#asked.has(id)) this.#asked.set(id, this.#ask(id));
      await this.#asked.get(id);
    }
    return this.#known.get(id) ?? null;
  }

  /** People whose name begins so. Throws an ApiError. */
  async search(text) {
    const { users } = await this.#api.get("users", { q: text });
    users.forEach((user) => this.learn(user));
    return users;
  }

  async #ask(id) {
    try {
      this.learn((await this.#api.get(`users/${id}`)).profile);
    } catch {
      // Whoever asks next asks again.
    }
    this.#asked.delete(id);
  }
}
