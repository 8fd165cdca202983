/** German. */

export default {
  languageName: "Deutsch",
  direction: "ltr",
  language: "Sprache",
  skip: "Zum Inhalt springen",
  connecting: "Verbindung wird aufgebaut …",
  live: "Live seit {time}",
  notLive: "Nicht live seit {time}",
  neverLive: "Nicht live",
  tryingAgain: "neuer Versuch …",
  tryingIn: {
    one: "neuer Versuch in {count} Sekunde",
    other: "neuer Versuch in {count} Sekunden",
  },
  offline: "dieses Gerät ist offline",
  ended: "die Verbindung wurde beendet",
  tryNow: "Jetzt versuchen",
  connectAgain: "Neu verbinden",
};
