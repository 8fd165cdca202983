/** JSON as people read it: nothing rounded, short values on one line, long ones indented. */

const ONE_LINE = 88;

/**
 * A number that JavaScript would change (12345678901234567890, 1.0) keeps the digits it came with,
 * where the browser can do it.
 */
function keepDigits(key, value, context) {
  const changed = typeof value === "number" && context?.source && String(value) !== context.source;
  return changed && JSON.rawJSON ? JSON.rawJSON(context.source) : value;
}

/** The value of a JSON text. Throws a SyntaxError like JSON.parse. */
export function parseJson(text) {
  return JSON.parse(text, keepDigits);
}

/** The text to show for a value. */
export function readable(value) {
  const short = JSON.stringify(value);
  return short.length <= ONE_LINE ? spaced(value) : JSON.stringify(value, null, 2);
}

/** On one line, with the spaces people put: {"a": 1, "b": [1, 2]}. */
function spaced(value) {
  const lines = JSON.stringify(value, null, 1).split("\n");
  return lines
    .map((line) => line.trimStart())
    .reduce((text, line) => text + (text.endsWith(",") ? " " : "") + line, "");
}

/** What is wrong with a text as a payload, in words; "" where nothing is. */
export function payloadProblem(text) {
  if (!text.trim()) return "Write a payload first, for example {\"hello\": \"world\"}.";
  let value;
  try {
    value = parseJson(text);
  } catch (error) {
    return `This is not JSON yet: ${error.message}.${quotesHint(text.trim())}`;
  }
  const empty = value === null || JSON.stringify(value) === "{}";
  return empty ? "An empty object or null counts as no payload. Put something in it." : "";
}

/** Someone who begins with a letter means a text rather than JSON with a mistake in it. */
function quotesHint(text) {
  return /^[[{"]/.test(text) ? "" : ` Plain text goes between quotes: ${JSON.stringify(text.slice(0, 40))}.`;
}
