/**
 * The form to sign in with, or to register (templates/realtime/_sign_in.html). What is wrong is said in the
 * server's words.
 */

import { ApiError } from "./api.js";

const WAYS = {
  signIn: {
    title: "Sign in",
    lead: (purpose) => `To ${purpose}.`,
    question: "No account yet?",
    other: "Register",
    password: "current-password",
  },
  register: {
    title: "Register",
    lead: (purpose) => `An account to ${purpose} with.`,
    question: "You have an account?",
    other: "Sign in",
    password: "new-password",
  },
};
const FIELDS = ["username", "displayName", "password"];

const element = (id) => document.getElementById(id);

export class SignIn {
  #api;
  #done;
  #form = element("sign-in");
  #isNew = false;
  #busy = false;

  /**
   * @param {import("./api.js").Api} api
   * @param {() => void} done called with a token at hand
   */
  constructor(api, done) {
    this.#api = api;
    this.#done = done;
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
    element("other-way").addEventListener("click", () => {
      this.#isNew = !this.#isNew;
      this.#show();
      element("username").focus();
    });
  }

  /** Show the form, and say why if there is a reason. */
  open(reason = "") {
    this.#isNew = false;
    this.#form.hidden = false;
    this.#show();
    this.#complain(reason);
    element(element("username").value ? "password" : "username").focus();
  }

  close() {
    this.#form.hidden = true;
    element("password").value = "";
  }

  #show() {
    const way = this.#isNew ? WAYS.register : WAYS.signIn;
    element("sign-in-title").textContent = element("sign-in-go").textContent = way.title;
    element("sign-in-lead").textContent = way.lead(this.#form.dataset.purpose);
    element("other-way-question").textContent = way.question;
    element("other-way").textContent = way.other;
    element("password").autocomplete = way.password;
    element("display-name-field").hidden = !this.#isNew;
    this.#complain("");
  }

  async #send() {
    if (this.#busy) return;
    this.#setBusy(true);
    this.#complain("");
    try {
      await this.#api.signIn(this.#credentials, { isNew: this.#isNew });
      this.#done();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#complain(error.message, error.fields);
    } finally {
      this.#setBusy(false);
    }
  }

  get #credentials() {
    const name = this.#isNew ? element("displayName").value.trim() : "";
    return {
      username: element("username").value.trim(),
      password: element("password").value,
      ...(name && { displayName: name }),
    };
  }

  /** At the fields where the server says which ones; else above them. */
  #complain(problem, fields = {}) {
    const wrong = FIELDS.filter((name) => fields[name]);
    element("sign-in-problem").textContent = wrong.length ? "" : problem;
    for (const name of FIELDS) {
      element(`${name}-error`).textContent = fields[name] ?? "";
      element(name).ariaInvalid = fields[name] ? "true" : null;
    }
    if (wrong.length) element(wrong[0]).focus();
  }

  #setBusy(busy) {
    this.#busy = busy;
    element("sign-in-go").ariaDisabled = busy ? "true" : null;
  }
}
