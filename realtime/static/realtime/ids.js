/** Ids: numbers of 64 bits, which JavaScript has as texts. The later one is the higher one. */

/** Below 0 where `a` is before `b`, above where it is after; "" is before every id. */
export function compareIds(a, b) {
  return a.length - b.length || (a < b ? -1 : Number(a > b));
}

/** The later of two. */
export function laterId(a, b) {
  return compareIds(a, b) < 0 ? b : a;
}

/** Is this text an id? */
export function isId(text) {
  return /^(0|[1-9][0-9]{0,18})$/.test(text);
}
