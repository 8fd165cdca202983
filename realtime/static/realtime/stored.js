/**
 * What a page keeps in the browser, where the browser lets it: with storage forbidden or full, what was kept
 * lasts as long as the page.
 */

const here = new Map();

/** The text kept under `name`, or null. */
export function get(name) {
  try {
    return localStorage.getItem(name) ?? here.get(name) ?? null;
  } catch {
    return here.get(name) ?? null;
  }
}

export function set(name, text) {
  here.set(name, text);
  try {
    localStorage.setItem(name, text);
  } catch {
    // Kept here.
  }
}

export function remove(name) {
  here.delete(name);
  try {
    localStorage.removeItem(name);
  } catch {
    // Nothing was kept there.
  }
}
