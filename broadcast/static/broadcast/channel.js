/**
 * The page of one channel: wires the socket to the list of events, the members and the forms.
 * Messages: docs/protocols/broadcast.md.
 */

import "../realtime/live-state.js";
import { toast } from "../realtime/notice.js";
import { LiveSocket } from "../realtime/socket.js";
import { timeToTheSecond } from "../realtime/time.js";
import { ApiKey } from "./api-key.js";
import { EmitForm } from "./emit-form.js";
import { EventLog } from "./event-log.js";
import { Members } from "./members.js";
import { parseJson } from "./payload.js";

/** Close codes of ours, as in realtime/close_codes.py. */
const UNAUTHORIZED = 4401;
const FORBIDDEN = 4403;
const PRESENCE_STORAGE = "foyer.broadcast.name";
/** As many as the list shows. */
const HISTORY_LIMIT = 200;

const element = (id) => document.getElementById(id);
const page = JSON.parse(element("channel-data").textContent);
const here = (path) => new URL(path, location.origin);

const key = new ApiKey(page.listenAccess === "key" || page.emitAccess === "key");
const log = new EventLog();
const members = new Members();

let clientId = "";
/** The latest event seen: where to go on from after a gap. */
let lastEventId = "";
/** When the connection was lost, until it is back. */
let lostAt = 0;
let presence = storedPresence();

// --- the connection ------------------------------------------------------------------------------

function socketAddress() {
  const url = here(page.listenPath);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  if (Object.keys(presence).length) url.searchParams.set("presence", JSON.stringify(presence));
  if (page.historySize && lastEventId) url.searchParams.set("since", lastEventId);
  // A browser cannot send a header with a WebSocket's handshake.
  if (key.value) url.searchParams.set("key", key.value);
  return url;
}

// The server pings; two pings missed and half of one more is a connection that only looks open.
const socket = new LiveSocket(socketAddress, { silenceMs: page.pingIntervalS * 2_500 });

const receive = {
  CONNECTED({ payload, clientID }) {
    clientId = clientID;
    element("problem").textContent = "";
    members.reset(clientId, presence, payload.members, payload.count ?? null);
    if (lostAt) noteGap();
    if (page.historySize && !lastEventId) showHistory();
  },
  DATA({ payload, eventID, requires_ack: requiresAck }) {
    lastEventId = eventID;
    const acknowledged =
      requiresAck && element("acknowledge").checked && socket.send({ type: "ACK", payload: { eventID } });
    log.addEvent({ id: eventID, payload, acknowledged });
  },
  PING() {
    socket.send({ type: "PONG" });
  },
  "PRESENCE:JOINED": ({ payload }) => members.set(payload.clientID, payload.presence),
  "PRESENCE:UPDATED"({ payload }) {
    members.set(payload.clientID, payload.presence);
    if (payload.clientID === clientId) presence = payload.presence;
  },
  "PRESENCE:LEFT": ({ payload }) => members.remove(payload.clientID),
  ERROR({ payload }) {
    if (payload.code === "HISTORY_GAP") {
      log.addNote("Some events may be missing here: they are no longer kept.");
    } else {
      element("problem").textContent = inWords(payload);
    }
  },
};

socket.addEventListener("message", ({ data }) => {
  const message = parseJson(data);
  if (message.latency) element("latency").textContent = `${message.latency} ms`;
  // A type this page does not know is a later version's: not its business.
  receive[message.type]?.(message);
});

let stateBefore = socket.state;
socket.addEventListener("state", () => {
  const live = socket.state === "live";
  members.setLive(live);
  if (!live && socket.wasLive) {
    lostAt ||= socket.since;
    element("latency").textContent = "–";
  }
  if (socket.state === "waiting" && stateBefore === "connecting") askWhetherWelcome();
  if (socket.state === "stopped" && socket.lastClose?.code === UNAUTHORIZED) key.show();
  stateBefore = socket.state;
});

element("live").socket = socket;
if (page.listenAccess === "open" || (page.listenAccess === "key" && key.value)) socket.start();
key.addEventListener("change", () => {
  if (page.listenAccess !== "key") return;
  socket.stop();
  socket.start();
});

/**
 * A browser does not say why a handshake failed. Where it is because we may not listen, another
 * attempt changes nothing; the members, which ask for the same permission, tell.
 */
async function askWhetherWelcome() {
  const request = fetch(here(page.membersPath), { headers: key.headers, credentials: "omit" });
  const response = await request.catch(() => null);
  if (socket.state === "live" || (response?.status !== 401 && response?.status !== 403)) return;
  socket.stop(response.status === 401 ? UNAUTHORIZED : FORBIDDEN);
  if (response.status === 401) key.ask();
}

/** Between losing the connection and having it back, events may have been sent. */
function noteGap() {
  const when = `Not live from ${timeToTheSecond(lostAt)} to ${timeToTheSecond(Date.now())}.`;
  lostAt = 0;
  if (page.historySize) {
    log.addNote(`${when} What the channel kept of that time was fetched.`, { calm: true });
  } else {
    log.addNote(`${when} Events sent in that time are missing here: the channel keeps no history.`);
  }
}

/** What the channel has kept, below what is on the list already. */
async function showHistory() {
  const url = here(page.historyPath);
  url.searchParams.set("limit", HISTORY_LIMIT);
  try {
    const response = await fetch(url, { headers: key.headers, credentials: "omit" });
    if (!response.ok) return;
    const { events } = parseJson(await response.text());
    log.addOlder(
      events.map(({ eventID, payload, timestamp }) => ({ id: eventID, payload, at: Date.parse(timestamp) })),
    );
    lastEventId ||= events.at(-1)?.eventID ?? "";
  } catch {
    // The connection is just gone again; the next CONNECTED asks anew.
  }
}

function inWords({ code, message }) {
  const words = {
    PING_TIMEOUT: "This page did not answer the server in time, so the server ended the connection.",
    RATE_LIMITED: "This page sent too much in a short time. Wait a moment.",
    TOO_LARGE: "That was too large to be sent to the channel.",
  };
  return words[code] ?? `The server reports a problem: ${message}`;
}

// --- one's own name --------------------------------------------------------------------------------

function storedPresence() {
  const name = sessionStorage.getItem(PRESENCE_STORAGE);
  return name ? { username: name } : {};
}

element("name").value = presence.username ?? "";
element("presence").addEventListener("submit", (event) => {
  event.preventDefault();
  const name = element("name").value.trim();
  sessionStorage.setItem(PRESENCE_STORAGE, name);
  presence = name ? { username: name } : {};
  const sent = socket.send({ type: "PRESENCE", payload: presence });
  const shown = name ? `You are shown as ${name}` : "You are shown without a name";
  toast(sent ? `${shown}.` : `${shown} as soon as the page is live again.`);
});

// --- the forms and addresses ------------------------------------------------------------------------

if (element("emit")) {
  new EmitForm(here(page.emitPath), key, (id) => members.describe(id));
}
element("ws-address").textContent = here(page.listenPath).href.replace(/^http/, "ws");
const listenKey = page.listenAccess === "key" ? key.curlArguments : [];
element("sse-address").textContent = [
  "curl -N -H 'Accept: text/event-stream'",
  ...listenKey,
  `'${here(page.listenPath).href}'`,
].join(" ");
