/**
 * The policy's page of the admin: what the line does now, asked for every two seconds.
 *
 * The server says it in words, by the names of the page's `data-line` elements; this only puts them there.
 * A tab that nobody looks at asks nothing.
 */

const POLL_MS = 2_000;

function follow(panel) {
  const state = panel.querySelector("#line-now-state");
  let timer = 0;

  function show(line) {
    for (const element of panel.querySelectorAll("[data-line]")) {
      const words = line[element.dataset.line];
      // Writing what is there already would have a screen reader say it again.
      if (element.textContent !== words) element.textContent = words;
    }
    for (const form of panel.querySelectorAll("[data-when]")) {
      form.hidden = (form.dataset.when === "paused") !== line.paused;
    }
    state.hidden = true;
  }

  /** Numbers that are not true any more must not look as if they were. */
  function say(words) {
    if (state.textContent !== words) state.textContent = words;
    state.hidden = false;
  }

  async function look() {
    clearTimeout(timer);
    if (document.hidden) return;
    try {
      const response = await fetch(panel.dataset.url, { signal: AbortSignal.timeout(5 * POLL_MS) });
      if (response.redirected || response.status === 403) {
        say("Not live: sign in again.");
        return;
      }
      if (!response.ok) throw new Error(`status ${response.status}`);
      show(await response.json());
    } catch {
      say("Not live: the server does not answer. Trying again…");
    }
    timer = setTimeout(look, POLL_MS);
  }

  document.addEventListener("visibilitychange", look);
  look();
}

document.addEventListener("DOMContentLoaded", () => {
  const panel = document.getElementById("line-now");
  if (panel) follow(panel);
});
