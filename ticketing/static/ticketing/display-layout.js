/** How many columns a wall of equal tiles has. Pure. */

/** A tile this many times as wide as high holds a name above a number best. */
const SHAPE = 2;

/**
 * Columns and rows for `count` tiles in `width` by `height`, so that what they hold can be largest.
 *
 * Of arrangements as good as each other the one with fewer empty places is chosen.
 */
export function arrange(count, width, height) {
  let best = { columns: 1, rows: Math.max(1, count), scale: 0, places: count };
  for (let columns = 1; columns <= count; columns += 1) {
    const rows = Math.ceil(count / columns);
    const scale = Math.min(width / columns / SHAPE, height / rows);
    const places = columns * rows;
    if (scale > best.scale * 1.001 || (scale > best.scale * 0.999 && places < best.places)) {
      best = { columns, rows, scale, places };
    }
  }
  return { columns: best.columns, rows: best.rows };
}
