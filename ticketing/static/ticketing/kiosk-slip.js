/** The slip of paper: what slip.css prints instead of the screen. */

import { calendarDay, clearWord, clock, setWord, translate, wait, words } from "./words.js";

const element = (id) => document.getElementById(id);

/** Where printing is concerned, the kiosk's address says what this device has: ?print=1 prints by itself, ?print=0 never. */
const printing = new URLSearchParams(location.search).get("print");
export const CAN_PRINT = printing !== "0";
export const PRINTS_BY_ITSELF = printing === "1";

let shown = null;

/**
 * Make the slip of a ticket, or of none (null).
 *
 * @param {{label: string, ahead: number, estimateS: number | null, at: number} | null} ticket
 * @param {{place: string, timeZone: string}} desk
 */
export function fillSlip(ticket, { place, timeZone }) {
  shown = ticket && { ticket, place, timeZone };
  document.body.classList.toggle("has-slip", Boolean(ticket));
  word();
}

function word() {
  if (!shown) {
    for (const part of ["number", "line", "estimate", "time"]) clearWord(element(`slip-${part}`));
    return;
  }
  const { ticket, place, timeZone } = shown;
  element("slip-place").textContent = place || translate("common.place");
  element("slip-number").textContent = ticket.label;
  element("slip-number").style.setProperty("--characters", ticket.label.length);
  setWord(element("slip-line"), "kiosk.placeInLine", { place: ticket.ahead + 1 });
  element("slip-estimate").textContent =
    ticket.estimateS === null ? "" : translate("kiosk.estimate", { wait: wait(ticket.estimateS) });
  element("slip-time").textContent = `${calendarDay(ticket.at, timeZone)}, ${clock(ticket.at, timeZone)}`;
}

words.addEventListener("change", word);
