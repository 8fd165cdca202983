/**
 * The gateway's HTTP API as one person uses it. The token stays in this tab: a reload is still signed in,
 * and whoever opens the page next is not.
 */

const STORAGE = "foyer.gateway.token";
/** A server that says nothing for so long is away. */
const PATIENCE_MS = 15_000;

const AWAY = "The server cannot be reached.";
const NO_LONGER = "You are signed out: the server does not accept this sign-in any more.";

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

/** "signed-out" tells, with the reason as its detail, that the token has stopped working. */
export class Api extends EventTarget {
  #base;
  token = stored();

  /** @param {string} base path of the API */
  constructor(base) {
    super();
    this.#base = base;
  }

  /** Get a token, for an account that there is or, with `isNew`, for a new one. Throws an ApiError. */
  async signIn(credentials, { isNew }) {
    const { token } = await this.post(isNew ? "auth/register" : "auth/login", credentials);
    this.token = token;
    store(token);
  }

  /** Let go of the token, and have the server forget it. Throws an ApiError where it could not be told. */
  async signOut() {
    const token = this.dropToken();
    await this.#request("POST", "auth/logout", { token });
  }

  /** Let go of the token, and give it: it is not valid any more, or shall not be. */
  dropToken() {
    const { token } = this;
    this.token = "";
    store("");
    return token;
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
    // An answer to a sign-in that was given up meanwhile says nothing of the one there is now.
    if (response.status === 401 && token && token === this.token) this.lose(NO_LONGER);
    throw new ApiError(inWords(response, answer), response.status, answer.fields);
  }

  /** The token does not work any more. */
  lose(reason) {
    this.dropToken();
    this.dispatchEvent(new CustomEvent("signed-out", { detail: reason }));
  }
}

function inWords({ status, headers }, { error }) {
  const wait = headers.get("Retry-After");
  const again = status === 429 && wait ? ` Try again in ${wait} s.` : "";
  return (typeof error === "string" && error ? error : `The server answered ${status}.`) + again;
}

function stored() {
  try {
    return sessionStorage.getItem(STORAGE) ?? "";
  } catch {
    return "";
  }
}

function store(token) {
  try {
    if (token) sessionStorage.setItem(STORAGE, token);
    else sessionStorage.removeItem(STORAGE);
  } catch {
    // Without storage a reload asks to sign in.
  }
}
