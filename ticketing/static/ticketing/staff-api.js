/**
 * The desk's HTTP API as one clerk's page uses it: the token, and what the protocol has no verb for.
 *
 * The token is made by the server for whoever is signed in and stays in this tab. Refusals are codes, those
 * of the server where it has one; what they mean to a clerk is for staff-actions.js to say.
 */

const STORAGE = "foyer.ticketing.staff-token";

/** Not of the server: what can go wrong on the way to it. */
export const AWAY = "AWAY";
export const FAILED = "FAILED";
export const SIGNED_OUT = "TOKEN_INVALID";

/** A server that says nothing for so long is away. */
const PATIENCE_MS = 10_000;

/** 403: the account does not serve at the desk (any more). */
const CODES_BY_STATUS = { 401: SIGNED_OUT, 403: SIGNED_OUT, 404: "UNKNOWN_TICKET", 429: "RATE_LIMITED", 503: "UNAVAILABLE" };

export class Api {
  #base;
  #csrfToken;
  /** How far the server's clock is ahead of this machine's: waiting is counted from the server's times. */
  clockAheadMs = 0;
  token = sessionStorage.getItem(STORAGE) ?? "";

  /**
   * @param {string} base path of the API
   * @param {string} csrfToken for the one request that the session vouches for
   */
  constructor(base, csrfToken) {
    this.#base = base;
    this.#csrfToken = csrfToken;
  }

  /** The time by the server's clock, in ms. */
  now() {
    return Date.now() + this.clockAheadMs;
  }

  /** Get a new token for whoever is signed in. Gives "" or a code. */
  async renewToken() {
    const answer = await this.#request("POST", "token", { "X-CSRFToken": this.#csrfToken });
    if (answer.code) return answer.code;
    this.token = answer.body.token;
    sessionStorage.setItem(STORAGE, this.token);
    return "";
  }

  /** Let go of the token: it is not valid any more, or shall not be. */
  dropToken() {
    this.token = "";
    sessionStorage.removeItem(STORAGE);
  }

  /** Change something. Gives {code: "" or why not, body}. */
  post(path, body) {
    return this.#request("POST", path, { Authorization: `Token ${this.token}` }, body);
  }

  get(path) {
    return this.#request("GET", path, { Authorization: `Token ${this.token}` });
  }

  async #request(method, path, headers, body) {
    try {
      const response = await fetch(this.#base + path, {
        method,
        headers: { ...headers, ...(body && { "Content-Type": "application/json" }) },
        body: body && JSON.stringify(body),
        // The session is for getting a token; whatever else this page does, it does as its clerk.
        credentials: headers.Authorization ? "omit" : "same-origin",
        cache: "no-store",
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
      this.#setClock(response.headers.get("Date"));
      const answer = await response.json().catch(() => ({}));
      const code = response.ok ? "" : (answer.code ?? CODES_BY_STATUS[response.status] ?? FAILED);
      return { code, body: answer };
    } catch {
      return { code: AWAY, body: {} };
    }
  }

  /** To the second, which is more than minutes of waiting need. */
  #setClock(date) {
    const ms = Date.parse(date);
    if (!Number.isNaN(ms)) this.clockAheadMs = ms - Date.now();
  }
}
