/**
 * Copy buttons: <button data-copy="id-of-the-text">Copy</button> copies the text of that element.
 * Works for buttons added later, too. Every page has it.
 */

import { announce } from "./notice.js";

const CONFIRMED_MS = 2_000;

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-copy]");
  if (!button) return;
  const source = document.getElementById(button.dataset.copy);
  const label = button.dataset.label ?? button.textContent;
  button.dataset.label = label;
  const copied = await copy(source);
  button.textContent = copied ? "Copied" : "Selected";
  announce(copied ? "Copied." : "Could not copy. The text is selected: press Control and C.");
  clearTimeout(Number(button.dataset.timer));
  button.dataset.timer = setTimeout(() => (button.textContent = label), CONFIRMED_MS);
});

/** Over plain HTTP on another machine browsers offer no clipboard: the old way, then a selection. */
async function copy(source) {
  try {
    await navigator.clipboard.writeText(source.textContent);
    return true;
  } catch {
    getSelection().selectAllChildren(source);
    if (!document.execCommand("copy")) return false;
    getSelection().removeAllRanges();
    return true;
  }
}
