/** The messages on the page: a row for each, a heading for each day, and the reader left where they are. */

/** This close to the end, one reads along. */
const END_PX = 48;
/** This close to the beginning, older ones are fetched. */
const START_PX = 200;

const element = (id) => document.getElementById(id);
const format = (options) => new Intl.DateTimeFormat("en-GB", options);
const day = format({ dateStyle: "full" });
const time = format({ timeStyle: "short" });
const dayAndTime = format({ dateStyle: "full", timeStyle: "medium" });

export class MessageList {
  #timeline;
  #people;
  #me;
  #scroll = element("scroll");
  #list = element("messages");
  #rowTemplate = element("message-row").content.firstElementChild;
  /** What is on the list: {message, row} by id, and headings by day. */
  #rows = new Map();
  #days = new Map();
  #channel = null;
  /** New messages since the last drawing, and whether older ones have come. */
  #added = [];
  #older = false;
  #frame = 0;
  /** Does the reader read along at the end? */
  #following = true;

  /**
   * @param {import("./timeline.js").Timeline} timeline
   * @param {import("./people.js").People} people
   * @param {() => string} me id of whose page this is
   */
  constructor(timeline, people, me) {
    this.#timeline = timeline;
    this.#people = people;
    this.#me = me;
    timeline.addEventListener("change", ({ detail }) => this.#drawSoon(detail));
    this.#scroll.addEventListener("scroll", () => this.#onScroll());
    // The end stays in sight when the window, or what is written in, becomes higher or lower.
    new ResizeObserver(() => this.#following && this.#toEnd()).observe(this.#scroll);
    element("older").addEventListener("click", () => timeline.older());
    element("jump").addEventListener("click", () => {
      this.#toEnd();
      this.#scroll.focus();
    });
  }

  /** Many may come at once: one drawing for each frame of the screen. */
  #drawSoon({ added, older }) {
    if (!older) this.#added.push(...added);
    this.#older ||= older;
    this.#frame ||= requestAnimationFrame(() => this.#draw());
  }

  #draw() {
    if (this.#channel !== this.#timeline.channel) this.#begin();
    const anchor = this.#list.querySelector(".chat-message");
    const [topBefore, anchorBefore] = [this.#scroll.scrollTop, anchor?.offsetTop];
    this.#place();
    this.#showStates();
    if (this.#older && anchor) this.#scroll.scrollTop = topBefore + anchor.offsetTop - anchorBefore;
    if (this.#following || this.#added.some(({ author }) => author === this.#me())) this.#toEnd();
    else if (this.#added.length) element("jump").hidden = false;
    this.#added = [];
    this.#older = false;
    this.#frame = 0;
    if (this.#following) this.#timeline.trim();
  }

  /** Another channel: nothing of the last one is left. */
  #begin() {
    this.#channel = this.#timeline.channel;
    this.#rows.clear();
    this.#days.clear();
    this.#list.replaceChildren();
    this.#following = true;
    element("jump").hidden = true;
  }

  /** Put rows and headings where they belong; those that are there already are not touched. */
  #place() {
    const wanted = [];
    let previous = null;
    for (const message of this.#timeline.messages) {
      const newDay = !previous || dayOf(previous) !== dayOf(message);
      if (newDay) wanted.push(this.#dayRow(message));
      const row = this.#row(message);
      row.classList.toggle("chat-message--goes-on", !newDay && goesOn(previous, message));
      wanted.push(row);
      previous = message;
    }
    let place = this.#list.firstElementChild;
    for (const row of wanted) {
      if (row === place) place = place.nextElementSibling;
      else this.#list.insertBefore(row, place);
    }
    while (place) {
      const next = place.nextElementSibling;
      this.#rows.delete(place.dataset.id);
      place.remove();
      place = next;
    }
  }

  #row(message) {
    const known = this.#rows.get(message.id);
    if (known?.message === message) return known.row;
    const row = known?.row ?? this.#rowTemplate.cloneNode(true);
    this.#rows.set(message.id, { message, row });
    const [author, badge, at] = row.firstElementChild.children;
    row.dataset.id = message.id;
    row.classList.toggle("chat-message--own", message.author === this.#me());
    row.classList.toggle("chat-message--answer", message.type === 1);
    this.#people.show(author, message.author);
    badge.hidden = message.type !== 1;
    at.dateTime = new Date(message.timestamp).toISOString();
    at.textContent = timeOf(message);
    at.title = dayAndTime.format(message.timestamp);
    row.lastElementChild.textContent = message.content;
    return row;
  }

  #dayRow(message) {
    const name = dayOf(message);
    if (!this.#days.has(name)) {
      const row = document.createElement("li");
      row.className = "chat-day";
      row.append(Object.assign(document.createElement("h3"), { textContent: name }));
      this.#days.set(name, row);
    }
    return this.#days.get(name);
  }

  #showStates() {
    const { messages, loading, problem, hasOlder, channel } = this.#timeline;
    const empty = element("messages-empty");
    empty.hidden = !channel || messages.length > 0 || Boolean(problem);
    empty.textContent = loading ? "One moment…" : "Nothing was posted here yet.";
    element("older").hidden = !hasOlder;
  }

  #onScroll() {
    const { scrollTop, scrollHeight, clientHeight } = this.#scroll;
    this.#following = scrollHeight - clientHeight - scrollTop < END_PX;
    if (this.#following) element("jump").hidden = true;
    if (scrollTop < START_PX && scrollHeight > clientHeight) this.#timeline.older();
  }

  #toEnd() {
    this.#scroll.scrollTop = this.#scroll.scrollHeight;
    this.#following = true;
    element("jump").hidden = true;
  }
}

const dayOf = ({ timestamp }) => day.format(timestamp);
const timeOf = ({ timestamp }) => time.format(timestamp);

/** The same person, in the same minute: what stands above the first of them holds for all. */
function goesOn(previous, message) {
  return (
    previous.author === message.author &&
    previous.type === message.type &&
    timeOf(previous) === timeOf(message)
  );
}
