/**
 * The inbox: who is signed in, what is unread, and the list. The connection behind it is shared by all tabs
 * (tabs.js). Messages: docs/protocols/notifications.md.
 */

import { Api } from "../realtime/api.js";
import "../realtime/live-state.js";
import { Announcer, announce, toast } from "../realtime/notice.js";
import { SignIn } from "../realtime/sign-in.js";
import { ALL } from "./counts.js";
import { Filters } from "./filters.js";
import { Inbox } from "./inbox.js";
import { ListView } from "./list-view.js";
import { SharedConnection } from "./tabs.js";

const element = (id) => document.getElementById(id);
const page = JSON.parse(element("page-data").textContent);

const api = new Api(page.apiPath);
const connection = new SharedConnection(page.socketPath, () => api.token);
const inbox = new Inbox(connection);
const view = new ListView(inbox, act);
const filters = new Filters((type) => inbox.type !== type && inbox.open(type));
const announcer = new Announcer("new notifications");
const signIn = new SignIn(api, enter);

// --- signing in and out -----------------------------------------------------------------------------

function enter() {
  signIn.close();
  element("inbox").hidden = element("bell").hidden = false;
  connection.enter();
  inbox.open(ALL);
}

function leave(reason = "") {
  inbox.close();
  connection.leave();
  element("inbox").hidden = element("bell").hidden = true;
  signIn.open(reason);
}

api.addEventListener("signed-in", enter);
api.addEventListener("signed-out", ({ detail }) => leave(detail));
connection.addEventListener("refused", ({ detail: { reason, token } }) => {
  api.lose(`You are signed out: ${reason}${reason.endsWith(".") ? "" : "."} Sign in again to go on.`, token);
});
element("sign-out").addEventListener("click", async () => {
  const told = api.signOut();
  leave();
  try {
    await told;
  } catch (error) {
    toast(`You are signed out here, but the server does not know: ${error.message}`);
  }
});

// --- what is shown ------------------------------------------------------------------------------------

element("live").texts.neverLive = () => (api.token ? "Not live" : "Signed out");
element("live").socket = connection;

connection.addEventListener("change", show);
inbox.addEventListener("change", show);
connection.addEventListener("news", ({ detail: { notification, isNew } }) => {
  if (!isNew) return;
  announcer.say(`${notification.type}: ${notification.title || notification.body}`);
  view.pointUp();
});

function show() {
  const unread = connection.unread.get(ALL);
  document.title = `${unread ? `(${unread}) ` : ""}Notifications – Foyer`;
  element("bell-count").textContent = String(unread ?? "");
  element("bell-count").hidden = !unread;
  element("bell-words").textContent = unread === null ? "" : `${unread} unread`;
  element("me-name").textContent = nameOf(connection.me);
  element("mark-all-words").textContent = inbox.type === ALL ? "" : ` of ${inbox.type}`;
  element("problem").textContent = inbox.problem || problem;
  filters.show(connection.unread, inbox.type);
}

/** Profiles are those of whoever has the accounts. */
function nameOf(me) {
  return String(me?.displayName ?? me?.username ?? me?.id ?? "…");
}

// --- what one does ------------------------------------------------------------------------------------

let problem = "";

/** Do it, and have it read out that it is done; or say why not. */
async function act(change, done = "") {
  problem = "";
  try {
    await change();
    if (done) announce(done);
  } catch (error) {
    problem = `Not marked: ${error.message}`;
  }
  show();
}

element("mark-all").addEventListener("click", () => act(() => inbox.markAllRead(), "All marked as read."));

if (api.token) enter();
else leave();
