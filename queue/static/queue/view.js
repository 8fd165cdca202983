/** What is seen of the line: one panel for each state, and the notices above it. */

import { clearWord, setWord, translate } from "../realtime/words.js";
import { band, estimate, hasStalled } from "./estimate.js";

const MINUTE_MS = 60_000;
/** Stands for the number in a sentence that is taken apart around it. */
const GAP = "\u2060";

const element = (id) => document.getElementById(id);

export class View {
  #line;

  /** @param {import("./line.js").Line} line */
  constructor(line) {
    this.#line = line;
  }

  show() {
    const { state } = this.#line;
    this.#showPanel(state);
    if (state === "waiting") this.#showPlace();
    if (state === "refused") this.#showRefusal();
    this.#showNotice();
    element("new-place").hidden = !(state === "waiting" && this.#line.ticket.isNew);
    // Where nothing is waited for, nobody needs to know of a connection.
    element("live").hidden = !["joining", "waiting"].includes(state);
    document.title = `${this.heading()} – ${translate("wait.title")}`;
  }

  /** What the page says first, as one sentence. */
  heading() {
    const { state } = this.#line;
    if (state !== "waiting") return translate(`wait.${state}`);
    const { ahead } = this.#line;
    return ahead ? translate("wait.number", { place: ahead + 1 }) : translate("wait.next");
  }

  #showPanel(state) {
    const lost = document.activeElement?.closest(".panel");
    for (const panel of document.querySelectorAll(".panel")) panel.hidden = panel.id !== `panel-${state}`;
    // Whoever had pressed something in the panel that went goes on reading in the one that came.
    if (lost?.hidden) document.querySelector(`#panel-${state} h1`).focus();
  }

  // --- the place ------------------------------------------------------------------------------------------

  #showPlace() {
    const { ahead, behind, ticket, stats, live } = this.#line;
    element("place").classList.toggle("is-old", !live);
    this.#showNumber(ahead);
    setWord(element("ahead"), ahead ? "wait.ahead" : "wait.nobodyAhead", { count: ahead });
    setWord(element("behind"), behind ? "wait.behind" : "wait.nobodyBehind", { count: behind });
    setWord(element("estimate"), ...this.#wait());
    // As far as one can see, it took a step to get in line; so nobody begins with an empty bar.
    element("way").max = ticket.first + 1;
    element("way").value = ticket.first + 1 - ahead;
    setWord(element("way-from"), "wait.wayFrom", { place: ticket.first + 1 });
    element("message").hidden = !stats.message;
    write(element("message-text"), stats.message ?? "");
    const minutes = Math.floor((stats.keepMsec ?? 0) / MINUTE_MS);
    if (minutes) setWord(element("keep"), "wait.keep", { count: minutes });
    else setWord(element("keep"), "wait.keepOpen");
  }

  #showNumber(ahead) {
    const sentence = ahead ? translate("wait.number", { place: GAP }) : translate("wait.next");
    const [before, after = ""] = sentence.split(GAP);
    write(element("place-before"), before.trim());
    write(element("place-after"), after.trim());
    const number = element("place-number");
    number.hidden = !ahead;
    if (ahead) setWord(number, "wait.place", { place: ahead + 1 });
    else clearWord(number);
  }

  /** How long it will take: a word and its values. */
  #wait() {
    const { ahead, stats, movedAt } = this.#line;
    if (stats.paused) return ["wait.estimatePaused"];
    if (!stats.estimate) return ["wait.noEstimate"];
    const quietMs = Date.now() - movedAt;
    if (hasStalled(quietMs, stats.estimate)) {
      return ["wait.estimateStalled", { count: Math.floor(quietMs / MINUTE_MS) }];
    }
    const [word, values] = band(estimate(ahead, stats.estimate));
    return [`wait.${word}`, values];
  }

  #showRefusal() {
    const { message, statusCode } = this.#line.refusal;
    write(element("refusal"), message || translate("wait.refusedSilent"));
    setWord(element("refusal-code"), "wait.refusedCode", { code: String(statusCode) });
  }

  // --- notices ----------------------------------------------------------------------------------------------

  #showNotice() {
    const notice = this.#notice();
    element("notice").hidden = !notice;
    if (notice) setWord(element("notice"), ...notice);
    else clearWord(element("notice"));
  }

  /** What a visitor should know first, as a word and its values; null where all is well. */
  #notice() {
    const { state, live, full, trouble, stats } = this.#line;
    if (state !== "waiting" && state !== "joining") return null;
    const { wasLive, since, state: connection } = this.#line.socket;
    const hasPlace = state === "waiting";
    if (!live && full) return [hasPlace ? "wait.fullKept" : "wait.full"];
    // Ended for good: the state of the connection says so, and offers another.
    if (connection === "stopped") return null;
    if (!live && wasLive) return this.#lost(Date.now() - since);
    if (!live && connection === "waiting") return ["wait.unreachable"];
    if (trouble === "server") return ["wait.troubleServer"];
    if (trouble === "line") return ["wait.troubleLine"];
    return hasPlace && stats.paused ? ["wait.paused"] : null;
  }

  #lost(forMs) {
    const keepMs = this.#line.stats?.keepMsec ?? 0;
    if (!keepMs || forMs < keepMs) return ["wait.lost"];
    return ["wait.lostLong", { count: Math.max(1, Math.floor(forMs / MINUTE_MS)) }];
  }
}

/** An unchanged text is left alone, for screen readers and for whoever has selected it. */
function write(place, text) {
  if (place.textContent !== text) place.textContent = text;
}
