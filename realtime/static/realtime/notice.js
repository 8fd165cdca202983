/**
 * Short messages that pass: seen for a moment, and read out once.
 *
 * They live in the #toasts element of every page, which is there from the start: a live region that is
 * added together with its text is not read out by every screen reader.
 */

const SHOWN_MS = 4_000;

/** Show `text` for four seconds and have it read out. Nothing essential may be said only here. */
export function toast(text) {
  const message = Object.assign(document.createElement("div"), { className: "toast", textContent: text });
  document.getElementById("toasts").append(message);
  setTimeout(() => message.remove(), SHOWN_MS);
}

/** Have `text` read out without showing it: for a change the page already shows. */
export function announce(text) {
  document.getElementById("announcements").textContent = text;
}
