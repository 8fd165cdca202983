/** Who is on the channel, with oneself first. */

const MAX_SHOWN = 100;

const element = (id) => document.getElementById(id);

/** What to call someone: the name in their presence, where there is one. */
export function nameOf(presence) {
  const name = presence?.username ?? presence?.name;
  return typeof name === "string" ? name.trim() : "";
}

export class Members {
  #rowTemplate = element("member-row").content.firstElementChild;
  #others = new Map();
  #self = { id: "", presence: {} };
  /** In a crowd the server says only how many there are; then this is that number, else null. */
  #crowd = null;
  #frame = 0;

  /** A connection begins: who else is there, and how many where there are too many to list. */
  reset(selfId, selfPresence, members, crowd = null) {
    this.#self = { id: selfId, presence: selfPresence };
    this.#others = new Map(members.map(({ clientID, presence }) => [clientID, presence]));
    this.#crowd = crowd;
    this.#render();
  }

  /** Someone came, or changed what they show. */
  set(id, presence) {
    if (id === this.#self.id) this.#self.presence = presence;
    else this.#others.set(id, presence);
    this.#render();
  }

  remove(id) {
    this.#others.delete(id);
    this.#render();
  }

  /** Name and ID of a client, for a sentence. */
  describe(id) {
    if (id === this.#self.id) return "you";
    const name = nameOf(this.#others.get(id));
    return name ? `${name} (${id})` : id;
  }

  /** Is the list up to date? */
  setLive(live) {
    element("members-stale").hidden = live || !this.#self.id;
  }

  /** Many may come at once: one drawing for each frame of the screen. */
  #render() {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.#draw();
    });
  }

  #draw() {
    const shown = [...this.#others].slice(0, MAX_SHOWN);
    const count = this.#crowd ?? this.#others.size + 1;
    const rows = [this.#row(this.#self.id, this.#self.presence, true)];
    for (const [id, presence] of shown) rows.push(this.#row(id, presence, false));
    element("members").replaceChildren(...rows);
    element("member-count").textContent = `${count.toLocaleString()} member${count === 1 ? "" : "s"}`;
    const more = element("members-more");
    more.hidden = count <= rows.length;
    more.textContent =
      this.#crowd === null
        ? `And ${(count - rows.length).toLocaleString()} more.`
        : `${count.toLocaleString()} when this page connected: too many to list.`;
  }

  #row(id, presence, isSelf) {
    const row = this.#rowTemplate.cloneNode(true);
    const [name, badge, details] = row.children;
    name.textContent = nameOf(presence) || id;
    badge.hidden = !isSelf;
    const { username, name: otherName, ...rest } = presence ?? {};
    const extra = Object.keys(rest).length ? JSON.stringify(rest) : "";
    details.textContent = [nameOf(presence) ? id : "", extra].filter(Boolean).join(" ");
    details.hidden = !details.textContent;
    return row;
  }
}
