/** The menu in the header closes as menus do: by Escape, and by a click beside it. */

const menu = document.getElementById("menu");

menu.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !menu.open) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});

document.addEventListener("click", ({ target }) => {
  if (!menu.contains(target)) menu.open = false;
});
