/** The list on the page: a row for each notification, more of them as one scrolls, and what is seen of them. */

import { clockTime } from "../realtime/time.js";

/** This far below the window older ones are fetched already. */
const AHEAD_PX = 400;
/** Scrolled so far, one does not see what comes in above. */
const AWAY_PX = 200;

const element = (id) => document.getElementById(id);
const exactTime = new Intl.DateTimeFormat("en-GB", { dateStyle: "full", timeStyle: "medium" });

export class ListView {
  #inbox;
  #act;
  #list = element("items");
  #rowTemplate = element("item-row").content.firstElementChild;
  /** {item, row} by id. */
  #rows = new Map();
  #frame = 0;
  #length = 0;
  #seen = new IntersectionObserver((entries) => this.#onSeen(entries), { threshold: 0.5 });
  #end = new IntersectionObserver((entries) => entries.at(-1).isIntersecting && this.#inbox.older(), {
    rootMargin: `${AHEAD_PX}px`,
  });

  /**
   * @param {import("./inbox.js").Inbox} inbox
   * @param {(change: () => Promise<unknown>, done?: string) => void} act does it, and says what came of it
   */
  constructor(inbox, act) {
    this.#inbox = inbox;
    this.#act = act;
    inbox.addEventListener("change", () => (this.#frame ||= requestAnimationFrame(() => this.#draw())));
    document.addEventListener("visibilitychange", () => this.#lookAgain());
    element("older").addEventListener("click", () => inbox.older());
    element("jump").addEventListener("click", () => {
      scrollTo({ top: 0 });
      element("inbox-title").focus();
    });
    addEventListener("scroll", () => {
      if (scrollY < AWAY_PX) element("jump").hidden = true;
    });
  }

  /** Something new has come, which those who have scrolled down do not see. */
  pointUp() {
    if (scrollY >= AWAY_PX) element("jump").hidden = false;
  }

  #draw() {
    this.#frame = 0;
    const { items, loading, hasOlder, problem } = this.#inbox;
    this.#place(items.map((item) => this.#row(item)));
    element("items-empty").hidden = items.length > 0 || Boolean(problem);
    element("items-empty").textContent = loading ? "One moment…" : "There are no notifications here.";
    element("older").hidden = !hasOlder;
    if (items.length !== this.#length) {
      // To be told again where the end is in sight still.
      this.#end.unobserve(element("older"));
      if (hasOlder) this.#end.observe(element("older"));
      this.#length = items.length;
    }
    if (scrollY < AWAY_PX) this.#inbox.trim();
  }

  /** Rows that are there already are not moved: they keep the focus, and their place in the window. */
  #place(wanted) {
    const kept = new Set(wanted);
    for (const row of [...this.#list.children]) if (!kept.has(row)) this.#remove(row);
    let place = this.#list.firstElementChild;
    for (const row of wanted) {
      if (row === place) place = place.nextElementSibling;
      else this.#list.insertBefore(row, place);
    }
  }

  #remove(row) {
    this.#rows.delete(row.dataset.id);
    this.#seen.unobserve(row);
    row.remove();
  }

  #row(item) {
    const isFresh = this.#inbox.fresh.has(item.id);
    const known = this.#rows.get(item.id);
    if (known?.item === item && known.isFresh === isFresh) return known.row;
    const row = known?.row ?? this.#newRow(item);
    this.#rows.set(item.id, { item, isFresh, row });
    const part = (name) => row.querySelector(`.inbox-item__${name}`);
    const isRead = item.status === "read";
    row.classList.toggle("inbox-item--unread", !isRead);
    part("unread").hidden = isRead;
    part("new").hidden = !isFresh;
    part("title").textContent = item.title || item.type;
    part("type").textContent = item.type;
    part("body").textContent = item.body;
    part("body").hidden = !item.body;
    part("mark").textContent = isRead ? "Mark unread" : "Mark read";
    part("data").hidden = item.data === null || item.data === undefined;
    if (part("data").open) this.#showData(row, item);
    this.#showTime(part("time"), part("exact-time"), item);
    return row;
  }

  #newRow({ id }) {
    const row = this.#rowTemplate.cloneNode(true);
    const now = () => this.#rows.get(id).item;
    const [open, mark, data] = ["open", "mark", "data"].map((name) => row.querySelector(`.inbox-item__${name}`));
    row.dataset.id = id;
    open.id = `title-${id}`;
    mark.setAttribute("aria-describedby", open.id);
    open.addEventListener("click", () => this.#open(row, open, now()));
    mark.addEventListener("click", () => {
      const status = now().status === "read" ? "unread" : "read";
      this.#act(() => this.#inbox.mark(now(), status), `Marked as ${status}.`);
    });
    data.addEventListener("toggle", () => data.open && this.#showData(row, now()));
    this.#seen.observe(row);
    return row;
  }

  /** Open it, and it is read; or close it. */
  #open(row, button, item) {
    const isOpen = row.classList.toggle("inbox-item--open");
    button.ariaExpanded = String(isOpen);
    if (isOpen && item.status !== "read") this.#act(() => this.#inbox.mark(item, "read"));
  }

  #showData(row, { data }) {
    row.querySelector(".inbox-item__data > pre").textContent = JSON.stringify(data, null, 2);
  }

  #showTime(time, exact, { createdAt }) {
    const at = Date.parse(createdAt);
    if (Number.isNaN(at)) return;
    time.dateTime = new Date(at).toISOString();
    time.textContent = clockTime(at);
    time.title = exact.textContent = exactTime.format(at);
  }

  #onSeen(entries) {
    if (document.hidden) return;
    const ids = entries.filter(({ isIntersecting }) => isIntersecting).map(({ target }) => target.dataset.id);
    if (ids.length) this.#inbox.seen(ids);
  }

  /** What was in the window already while nobody looked is told once more. */
  #lookAgain() {
    if (document.hidden) return;
    for (const { row } of this.#rows.values()) {
      this.#seen.unobserve(row);
      this.#seen.observe(row);
    }
  }
}
