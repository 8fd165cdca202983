/**
 * The words of the desk's pages: ../realtime/words.js, and what only the desk says.
 *
 * A language appears on the pages once the installation's TICKETING_LANGUAGES names it.
 */

import { startWords as start, translate } from "../realtime/words.js";

export * from "../realtime/words.js";

const FOLDER = new URL("./words/", import.meta.url);

/**
 * Show the page in the language that was chosen on it last, or in the first one.
 *
 * @param {{page: string, languages: string[]}} options the page's choice is remembered under its name
 */
export function startWords({ page, languages }) {
  return start({ folder: FOLDER, storage: `foyer.ticketing.language.${page}`, languages });
}

/**
 * A wait in words: "about 10 minutes". Rounded up, and the more the longer it is, since an estimate that
 * sounds exact is believed.
 *
 * @param {number} seconds
 */
export function wait(seconds) {
  const minutes = Math.ceil(seconds / 60);
  if (minutes <= 1) return translate("common.waitMinute");
  if (minutes <= 10) return translate("common.waitMinutes", { count: minutes });
  const steps = Math.ceil(minutes / 5) * 5;
  if (steps < 90) return translate("common.waitMinutes", { count: steps });
  return translate("common.waitHours", { count: Math.ceil(minutes / 30) / 2 });
}

/** What a table is called: its name, or "Table 3" in the language shown. */
export function tableName({ number, name }) {
  return name || translate("common.table", { number: String(number) });
}
