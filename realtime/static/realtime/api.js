/**
 * The HTTP API of the accounts as one person uses it, and who that is.
 *
 * Whoever is signed in is so in every tab, on every page, until they sign out in one of them or the server
 * does not take the token any more: tabs share connections, and one connection is one person's. So the token
 * is in localStorage, which tabs share, and they tell each other of it at once.
 */

import * as stored from "./stored.js";

const STORAGE = "foyer.token";
/** A server that says nothing for so long is away. */
const PATIENCE_MS = 15_000;

const AWAY = "The server cannot be reached.";
const NO_LONGER = "You are signed out: the server does not accept this sign-in any more.";
const ELSEWHERE = "You have signed out in another tab.";

/** A request that failed; the message is for people. */
export class ApiError extends Error {
  /**
   * @param {number} status 0 where no answer came
   * @param {Record<string, string>} fields what is wrong with which member of the body
   */
  constructor(message, status = 0, fields = {}) {
    super(message);
    this.status = status;
    this.fields = fields;
  }

  /** May it have been done all the same? */
  get isUncertain() {
    return this.status === 0 || this.status >= 500;
  }
}

/**
 * "signed-in" tells that somebody has signed in, in another tab; "signed-out", with the reason as its
 * detail, that the token has stopped working, or that this was done in another tab.
 */
export class Api extends EventTarget {
  #base;
  #tabs = new BroadcastChannel(STORAGE);
  token = stored.get(STORAGE) ?? "";

  /** @param {string} base path of the API */
  constructor(base) {
    super();
    this.#base = base;
    this.#tabs.onmessage = ({ data }) => this.#hear(data);
  }

  /** Get a token, for an account that there is or, with `isNew`, for a new one. Throws an ApiError. */
  async signIn(credentials, { isNew }) {
    const { token } = await this.post(isNew ? "auth/register" : "auth/login", credentials);
    this.token = token;
    stored.set(STORAGE, token);
    this.#tabs.postMessage({ token });
  }

  /** Let go of the token, and have the server forget it. Throws an ApiError where it could not be told. */
  async signOut() {
    const { token } = this;
    this.#drop(ELSEWHERE);
    await this.#request("POST", "auth/logout", { token });
  }

  /** The token does not work any more. One that was given up meanwhile says nothing of the one there is. */
  lose(reason, token = this.token) {
    if (!token || token !== this.token) return;
    this.#drop(reason);
    this.#tell("signed-out", reason);
  }

  /** What is at `path`, with a query. Throws an ApiError, as all the others do. */
  get(path, query = {}) {
    const asked = Object.entries(query).filter(([, value]) => value !== "" && value !== undefined);
    const search = asked.length ? `?${new URLSearchParams(asked)}` : "";
    return this.#request("GET", path + search);
  }

  post(path, body) {
    return this.#request("POST", path, { body });
  }

  put(path) {
    return this.#request("PUT", path);
  }

  delete(path) {
    return this.#request("DELETE", path);
  }

  async #request(method, path, { body, token = this.token } = {}) {
    let response;
    try {
      response = await fetch(this.#base + path, {
        method,
        headers: {
          ...(token && { Authorization: `Bearer ${token}` }),
          ...(body && { "Content-Type": "application/json" }),
        },
        body: body && JSON.stringify(body),
        credentials: "omit",
        cache: "no-store",
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
    } catch {
      throw new ApiError(AWAY);
    }
    const answer = await response.json().catch(() => ({}));
    if (response.ok) return answer;
    if (response.status === 401) this.lose(NO_LONGER, token);
    throw new ApiError(inWords(response, answer), response.status, answer.fields);
  }

  #drop(reasonForOthers) {
    const lost = this.token;
    this.token = "";
    forget(lost);
    this.#tabs.postMessage({ lost, reason: reasonForOthers });
  }

  /** From another tab. */
  #hear({ token, lost, reason = "" }) {
    const gone = lost ?? this.token;
    if (gone && gone === this.token && gone !== token) {
      this.token = "";
      forget(gone);
      this.#tell("signed-out", reason);
    }
    if (token && token !== this.token) {
      this.token = token;
      this.#tell("signed-in");
    }
  }

  #tell(type, detail = null) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

/** Somebody may have signed in anew: their token stays. */
function forget(token) {
  if (stored.get(STORAGE) === token) stored.remove(STORAGE);
}

function inWords({ status, headers }, { error }) {
  const wait = headers.get("Retry-After");
  const again = status === 429 && wait ? ` Try again in ${wait} s.` : "";
  return (typeof error === "string" && error ? error : `The server answered ${status}.`) + again;
}
