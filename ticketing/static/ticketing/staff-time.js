/** How long something has been going on, as a clerk reads it at a glance: "4 min", "1 hr 5 min". */

import { language, translate } from "./words.js";

export const MINUTE_MS = 60_000;
const HOUR = 60;
const DAY = 24 * HOUR;

const formats = new Map();

function written(value, unit) {
  const key = `${language()} ${unit}`;
  if (!formats.has(key)) {
    const options = { style: "unit", unit, unitDisplay: "short" };
    formats.set(key, new Intl.NumberFormat(`${language()}-u-nu-latn`, options));
  }
  return formats.get(key).format(value);
}

/** In whole minutes: a list in which seconds jump is hard to read. */
export function duration(ms) {
  const minutes = Math.floor(ms / MINUTE_MS);
  if (minutes < 1) return translate("staff.underAMinute");
  if (minutes < HOUR) return written(minutes, "minute");
  const hours = Math.floor(minutes / HOUR);
  if (minutes < DAY) {
    const rest = minutes % HOUR;
    return rest ? `${written(hours, "hour")} ${written(rest, "minute")}` : written(hours, "hour");
  }
  return written(Math.floor(minutes / DAY), "day");
}
