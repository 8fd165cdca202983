/** The form that staff sign in with: its languages, and a look at the password. It works without this, too. */

import { offerLanguages, setWord, startWords, translate, words } from "./words.js";

const element = (id) => document.getElementById(id);
const page = JSON.parse(element("desk-data").textContent);

// Its language is that of the page it leads to.
await startWords({ page: "staff", languages: page.languages });
const other = element("other");
if (other) setWord(other, "common.signInOther", { name: other.dataset.name });
offerLanguages(element("languages"));

const title = () => (document.title = translate("common.signInTitle"));
words.addEventListener("change", title);
title();

element("show-password").hidden = false;
element("reveal").addEventListener("change", ({ target }) => {
  element("id_password").type = target.checked ? "text" : "password";
});
element("sign-in").addEventListener("submit", () => {
  // The browser offers to keep passwords, not texts.
  element("id_password").type = "password";
});
