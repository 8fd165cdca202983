/**
 * What makes a browser a screen on a wall: full screen, a display that does not go to sleep, a pointer and
 * controls that are out of sight until somebody needs them.
 */

import { setWord } from "./words.js";

/** Long enough to read what the controls are and to reach one. */
const IDLE_MS = 8_000;
/** Whoever chose something with the keyboard and has not touched it since has gone. */
const GONE_MS = 60_000;

const element = (id) => document.getElementById(id);

/** Full screen by a button. Where the browser has none (a phone), there is no button. */
export function offerFullScreen() {
  const button = element("full-screen");
  button.hidden = !document.fullscreenEnabled;
  button.addEventListener("click", toggleFullScreen);
  document.addEventListener("fullscreenchange", show);
  show();

  function show() {
    const word = document.fullscreenElement ? "display.fullScreenEnd" : "display.fullScreen";
    setWord(element("full-screen-text"), word);
  }
}

/** Only in answer to a click or a key: browsers refuse it otherwise, and then nothing happens. */
export async function toggleFullScreen() {
  try {
    if (document.fullscreenElement) await document.exitFullscreen();
    else await document.documentElement.requestFullscreen();
  } catch {
    // A browser that is full screen by its own settings refuses; it is what was asked for.
  }
}

/**
 * The pointer and the controls go out of sight when nobody has moved or pressed anything for a while; those
 * that have the keyboard's focus stay longer.
 */
export function hideWhenIdle() {
  let timers = [];
  const wake = () => {
    document.body.classList.remove("is-idle");
    timers.forEach(clearTimeout);
    timers = [
      setTimeout(() => document.body.classList.add("is-idle"), IDLE_MS),
      setTimeout(() => document.activeElement?.blur(), GONE_MS),
    ];
  };
  for (const sign of ["pointermove", "pointerdown", "keydown", "focusin"]) {
    addEventListener(sign, wake, { passive: true });
  }
  wake();
}

/** Ask for a screen that stays on, and again whenever the page comes back into view. */
export function stayAwake() {
  const ask = () => document.hidden || navigator.wakeLock?.request("screen").catch(() => {});
  document.addEventListener("visibilitychange", ask);
  ask();
}
