/**
 * How long it takes, in numbers and in words that promise no more than is known.
 *
 * The numbers are those of queue/rules.py, which a test compares. The words speak of half of those who are
 * told them: a quarter waits less, a quarter more. Hence "probably".
 */

/** Half of a normal distribution lies within so many standard deviations of its mean. */
const QUARTILE = 0.6745;
const MINUTE_MS = 60_000;
/** Nobody let in for as long as this may still be chance. */
const STALL_MS = 2 * MINUTE_MS;
/** From here on the words count hours. */
const HOURS_FROM = 120;
const LONG_HOURS = 12;

/**
 * A wait in milliseconds, as `queue.rules.estimate` has it.
 *
 * @param {number} ahead how many are in front
 * @param {{perTicketMsec: number, varianceMsec2: number, tickets: number}} pace
 */
export function estimate(ahead, { perTicketMsec, varianceMsec2, tickets }) {
  const count = Math.max(0, ahead) + 1;
  const mean = count * perTicketMsec;
  const spread = QUARTILE * Math.sqrt(varianceMsec2 * count * (1 + count / tickets));
  return { low: Math.max(0, mean - spread), mean, high: mean + spread };
}

/**
 * The word for a wait: a key of the block `wait`, and its values.
 *
 * Never more exact than the wait is long: minutes, then five of them, then halves of an hour; the low end
 * rounded down and the high end up.
 */
export function band({ low, high }) {
  const [from, to] = [low / MINUTE_MS, high / MINUTE_MS];
  if (to < 1) return ["estimateLess", {}];
  if (from >= LONG_HOURS * 60) return ["estimateLong", { count: LONG_HOURS }];
  if (to > HOURS_FROM) return between("Hours", from / 60, to / 60, 0.5);
  return between("Minutes", from, to, to <= 10 ? 1 : 5);
}

function between(unit, from, to, step) {
  const low = Math.floor(from / step) * step;
  const count = Math.ceil(to / step) * step;
  return low && low < count ? [`estimate${unit}`, { low, count }] : [`estimateUpTo${unit}`, { count }];
}

/** Has nobody been let in for longer than the pace explains? Then the pace says nothing about what comes. */
export function hasStalled(quietMs, { perTicketMsec, varianceMsec2 }) {
  return quietMs > Math.max(STALL_MS, perTicketMsec + 6 * Math.sqrt(varianceMsec2));
}
