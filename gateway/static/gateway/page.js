/**
 * The chat page: who is signed in, the connection, and which channel is open.
 *
 * The connection hears everything from its first Ready on, and goes on where it was lost; only before that,
 * and after a gap, channels and messages are fetched. Messages: docs/protocols/gateway.md.
 */

import { Api } from "../realtime/api.js";
import { isId } from "../realtime/ids.js";
import "../realtime/live-state.js";
import { toast } from "../realtime/notice.js";
import { SignIn } from "../realtime/sign-in.js";
import { ChannelList, Discover } from "./channel-list.js";
import { Channels } from "./channels.js";
import { Connection } from "./connection.js";
import { Conversation } from "./conversation.js";
import { ChannelDialog, PersonDialog, closeDialogs } from "./dialogs.js";
import { People } from "./people.js";

/** Fetching failed though the connection is there: how long until it is tried again. */
const FETCH_AGAIN_MS = 2_000;

const element = (id) => document.getElementById(id);
const page = JSON.parse(element("page-data").textContent);

const api = new Api(page.apiPath);
const people = new People(api);
const channels = new Channels(api, people);
const connection = new Connection(page.socketPath, () => api.token);
const conversation = new Conversation({ api, people, channels, maxLength: page.maxContentLength });
const list = new ChannelList(channels);
const discover = new Discover(channels, openId);
const signIn = new SignIn(api, enter);

/** Whose page this is; "" until the server has said so. */
let me = "";
/** Is something missing that has to be fetched? */
let stale = true;
let fetchTimer = 0;

// --- signing in and out -----------------------------------------------------------------------------

function enter() {
  signIn.close();
  element("chat").hidden = false;
  connection.start();
}

function leave(reason = "") {
  clearTimeout(fetchTimer);
  connection.stop();
  conversation.close();
  closeDialogs();
  channels.reset("");
  me = "";
  stale = true;
  element("chat").hidden = true;
  signIn.open(reason);
}

api.addEventListener("signed-in", enter);
api.addEventListener("signed-out", ({ detail }) => leave(detail));
connection.addEventListener("refused", ({ detail }) => {
  api.lose(`You are signed out: ${detail}. Sign in again to go on.`);
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

// --- the connection -----------------------------------------------------------------------------------

connection.addEventListener("ready", ({ detail: { user, resumed } }) => {
  me = user;
  channels.reset(me);
  people.show(element("me-name"), me);
  stale ||= !resumed;
  if (stale) fetchAll();
  // One hears only of channels one is in, and what failed to load while the server was away can be had now.
  else if (conversation.channel && (!conversation.channel.joined || conversation.timeline.problem)) {
    conversation.timeline.catchUp();
  }
});
connection.addEventListener("gap", () => fetchAll());
connection.addEventListener("message", async ({ detail: message }) => {
  conversation.heard(message, await channels.heard(message));
});
connection.addEventListener("latency", () => {
  const { latencyMs } = connection;
  element("latency").textContent = latencyMs === null ? "–" : `${Math.max(1, Math.round(latencyMs))} ms`;
});
element("live").texts.neverLive = () => (api.token ? "Not live" : "Signed out");
element("live").socket = connection;

/** Channels, and the messages of the one that is open, from the server. Tried again until it works. */
async function fetchAll() {
  stale = true;
  clearTimeout(fetchTimer);
  try {
    await channels.load();
    if (!channels.mine.length) element("discover").open = true;
    if (conversation.channel) {
      conversation.refresh();
      await conversation.timeline.reload();
    } else {
      await openFromAddress();
    }
    stale = Boolean(conversation.timeline.problem);
  } catch (error) {
    element("no-conversation-text").textContent = error.message;
  }
  if (stale && connection.state === "live") fetchTimer = setTimeout(fetchAll, FETCH_AGAIN_MS);
}

// --- which channel is open: its id is the fragment of the address ----------------------------------------

function openId() {
  return conversation.channel?.id ?? "";
}

/** Open the channel that the address names, or none. Gives when its messages are there, or could not be had. */
async function openFromAddress({ focus = false } = {}) {
  const id = location.hash.slice(1);
  const before = openId();
  if (isId(id) && id !== before) {
    const channel = channels.get(id) ?? (await channels.fetch(id));
    if (id !== location.hash.slice(1)) return;
    if (channel) {
      show(channel);
      const opened = conversation.open(channel, me);
      if (focus) conversation.focus();
      await opened;
    } else {
      location.hash = "";
      toast("There is no such channel.");
    }
  } else if (!id && before) {
    conversation.close();
    show(null);
    list.focus(before);
  }
}

function show(channel) {
  list.mark(channel?.id ?? "");
  element("chat").classList.toggle("chat--reading", Boolean(channel));
  element("no-conversation-text").textContent = "Choose a channel, or write to somebody.";
}

/** Go to a channel, whoever may have opened it. */
function goTo(id) {
  if (id === openId()) conversation.focus();
  else location.hash = id;
}

addEventListener("hashchange", () => {
  if (me) openFromAddress({ focus: true }).catch((error) => toast(error.message));
});
conversation.addEventListener("change", () => discover.refresh());
new ChannelDialog(api, goTo);
new PersonDialog({ api, people, channels, me: () => me, opened: goTo });

if (api.token) enter();
else signIn.open();
