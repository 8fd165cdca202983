/**
 * Who waits here, and where they began: kept in the browser, so that a reload, a closed tab or a restarted
 * server costs nobody their place.
 *
 * The id names the client on the wire and in the operator's lists; the token is what logs it in, and is
 * secret. Neither says anything about the person.
 */

import * as stored from "../realtime/stored.js";

const ID = "foyer.queue.id";
const TOKEN = "foyer.queue.token";
const TICKET = "foyer.queue.ticket";

/** 128 bits nobody can guess. Not `crypto.randomUUID`, which pages without HTTPS do not have. */
function random() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function made(name) {
  const text = stored.get(name) ?? random();
  stored.set(name, text);
  return text;
}

export const id = made(ID);
export const token = made(TOKEN);

/** The ticket this browser waits with, {id, first}, or null; `first` is how many were ahead at the start. */
export function ticket() {
  try {
    const kept = JSON.parse(stored.get(TICKET));
    return typeof kept?.id === "string" && Number.isFinite(kept.first) ? kept : null;
  } catch {
    return null;
  }
}

export function keepTicket(ticket) {
  stored.set(TICKET, JSON.stringify(ticket));
}

export function forgetTicket() {
  stored.remove(TICKET);
}
