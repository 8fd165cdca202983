/** Times of day as pages show them: in the page's language, always on the 24-hour clock. */

const language = document.documentElement.lang || "en";
const format = (options) => new Intl.DateTimeFormat(language, { hourCycle: "h23", ...options });

const toTheMinute = format({ hour: "2-digit", minute: "2-digit" });
const toTheSecond = format({ hour: "2-digit", minute: "2-digit", second: "2-digit" });
const toTheMillisecond = format({
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  fractionalSecondDigits: 3,
});
const withTheDay = format({ day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });

const sameDay = (one, other) => new Date(one).toDateString() === new Date(other).toDateString();

/** "10:42", and "3 Mar, 10:42" where that was not today. */
export function clockTime(ms) {
  return (sameDay(ms, Date.now()) ? toTheMinute : withTheDay).format(ms);
}

/** "10:42:07" */
export function timeToTheSecond(ms) {
  return toTheSecond.format(ms);
}

/** "10:42:07.123" */
export function preciseTime(ms) {
  return toTheMillisecond.format(ms);
}
