/** The form that sends an event, and the curl line that does the same. */

import { payloadProblem, parseJson } from "./payload.js";

const element = (id) => document.getElementById(id);

/** `text` as one word of a POSIX shell. */
const quoted = (text) => `'${text.replaceAll("'", `'\\''`)}'`;

export class EmitForm {
  #form = element("emit");
  #payload = element("payload");
  #clients = element("clients");
  #requireAck = element("require-ack");
  #address;
  #key;
  #describe;
  /** An answer is awaited: it would be mixed up with that of another event. */
  #busy = false;

  /**
   * @param {URL} address where to send
   * @param {import("./api-key.js").ApiKey} key
   * @param {(clientID: string) => string} describe a client's name, for the answer
   */
  constructor(address, key, describe) {
    this.#address = address;
    this.#key = key;
    this.#describe = describe;
    this.#key.addEventListener("change", () => this.#showCurl());
    this.#form.addEventListener("input", () => this.#changed());
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
    this.#payload.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) this.#form.requestSubmit();
    });
    this.#showCurl();
  }

  /** A complaint goes away as soon as it no longer holds; a new one waits for Send. */
  #changed() {
    if (this.#payload.ariaInvalid === "true" && !payloadProblem(this.#payload.value)) this.#complain("");
    this.#showCurl();
  }

  #complain(problem) {
    element("payload-error").textContent = problem;
    this.#payload.ariaInvalid = problem ? "true" : null;
    if (problem) this.#payload.focus();
  }

  get #target() {
    const url = new URL(this.#address);
    const clients = this.#clients.value.split(",").map((part) => part.trim()).filter(Boolean).join(",");
    if (clients) url.searchParams.set("clients", clients);
    if (this.#requireAck.checked) url.searchParams.set("require-ack", "true");
    // Commas may stand in a query; encoded they only make the line harder to read.
    return url.href.replaceAll("%2C", ",");
  }

  #showCurl() {
    const text = this.#payload.value;
    const body = payloadProblem(text) ? text : JSON.stringify(parseJson(text));
    element("curl").textContent = [
      `curl -X POST ${quoted(this.#target)}`,
      ...this.#key.curlArguments,
      "-H 'Content-Type: application/json'",
      `-d ${quoted(body)}`,
    ].join(" ");
  }

  async #send() {
    if (this.#busy) return;
    const problem = payloadProblem(this.#payload.value);
    this.#complain(problem);
    if (problem) {
      this.#answer("");
      return;
    }
    this.#answer(this.#requireAck.checked ? "Sent. Waiting for acknowledgement…" : "Sending…");
    this.#setBusy(true);
    try {
      const response = await fetch(this.#target, {
        method: "POST",
        headers: { "Content-Type": "application/json", ...this.#key.headers },
        body: this.#payload.value,
        credentials: "omit",
      });
      this.#report(response, await answerOf(response));
    } catch {
      this.#answer("Foyer cannot be reached. The event may not have been sent.", "attention");
    } finally {
      this.#setBusy(false);
    }
  }

  /** Not `disabled`: that would take the focus away from someone who uses the keyboard. */
  #setBusy(busy) {
    this.#busy = busy;
    element("send").ariaDisabled = busy ? "true" : null;
  }

  #report(response, answer) {
    const names = (ids) => ids.map(this.#describe).join(", ");
    if (response.ok) {
      const clients = answer.clients === 1 ? "1 client" : `${answer.clients} clients`;
      const acked = answer.acked?.length ? ` Acknowledged by ${names(answer.acked)}.` : "";
      const missing = answer.missing?.length ? ` Not connected: ${names(answer.missing)}.` : "";
      this.#answer(`Sent to ${clients}.${acked}${missing}`);
    } else if (response.status === 408) {
      const acked = answer.acked?.length ? names(answer.acked) : "no one";
      const missing = names(answer.missing ?? []);
      this.#answer(`Acknowledged by ${acked}. No answer in time from ${missing}.`, "attention");
    } else {
      this.#answer(refusal(response, answer), "attention");
      if (response.status === 401) this.#key.ask();
    }
  }

  #answer(text, tone = "") {
    const result = element("emit-result");
    result.dataset.tone = tone;
    result.textContent = text;
  }
}

async function answerOf(response) {
  try {
    return await response.json();
  } catch {
    return {};
  }
}

function refusal(response, { error }) {
  const said = typeof error === "string" ? error : "";
  switch (response.status) {
    case 401:
      return "Sending here asks for an API key that is valid.";
    case 403:
      return "This API key may not send to this channel.";
    case 413:
      return "The payload is too large: 64 KiB at most.";
    case 429: {
      const seconds = response.headers.get("Retry-After");
      return `Too many events at once. Try again ${seconds ? `in ${seconds} s` : "in a moment"}.`;
    }
    default:
      return said || `The server answered ${response.status}. The event was not sent.`;
  }
}
