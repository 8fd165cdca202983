/** Arabic. Written from right to left; its plurals have six forms. */

export default {
  languageName: "العربية",
  direction: "rtl",
  language: "اللغة",
  skip: "انتقل إلى المحتوى",
  connecting: "جارٍ الاتصال…",
  live: "متصل مباشرةً منذ {time}",
  notLive: "غير متصل منذ {time}",
  neverLive: "غير متصل",
  tryingAgain: "جارٍ إعادة المحاولة…",
  tryingIn: {
    zero: "جارٍ إعادة المحاولة الآن",
    one: "إعادة المحاولة بعد ثانية واحدة",
    two: "إعادة المحاولة بعد ثانيتين",
    few: "إعادة المحاولة بعد {count} ثوانٍ",
    many: "إعادة المحاولة بعد {count} ثانية",
    other: "إعادة المحاولة بعد {count} ثانية",
  },
  offline: "هذا الجهاز غير متصل بالشبكة",
  ended: "انقطع الاتصال",
  tryNow: "حاول الآن",
  connectAgain: "اتصل من جديد",
};
