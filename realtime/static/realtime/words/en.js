/** English: what the pages of every service say. Every other file has the same keys; see ../words.js. */

export default {
  languageName: "English",
  direction: "ltr",
  language: "Language",
  skip: "Skip to the content",
  connecting: "Connecting…",
  live: "Live since {time}",
  notLive: "Not live since {time}",
  neverLive: "Not live",
  tryingAgain: "trying again…",
  tryingIn: {
    one: "trying again in {count} second",
    other: "trying again in {count} seconds",
  },
  offline: "this device is offline",
  ended: "the connection was ended",
  tryNow: "Try now",
  connectAgain: "Connect again",
};
