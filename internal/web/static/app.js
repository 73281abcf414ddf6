// Comforts that a page does without where there is no script.

// Times in the reader's zone; the server writes UTC, which stays in the title.
// Of the browser's languages the one that is the page's knows the country too.
const pageLanguage = document.documentElement.lang;
const language = navigator.languages.find((l) => l.split("-")[0] === pageLanguage) ?? pageLanguage;
const dateAndTime = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });
for (const element of document.querySelectorAll("time[datetime]")) {
  element.title = element.textContent.trim();
  element.textContent = dateAndTime.format(new Date(element.dateTime));
}

// Identifiers become buttons that copy them whole; without script they are text.
for (const text of document.querySelectorAll("[data-copy]")) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = text.className;
  button.title = text.title;
  button.append(...text.childNodes);
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(text.dataset.copy);
    const note = document.createElement("div");
    note.className = "copied";
    note.setAttribute("role", "status");
    note.textContent = text.dataset.copied;
    document.body.append(note);
    setTimeout(() => note.remove(), 1600);
  });
  text.replaceWith(button);
}

// Menus close on Escape, which gives the focus back, and when something else is
// clicked.
const openMenus = () => document.querySelectorAll("details.menu[open]");
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of openMenus()) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});
document.addEventListener("click", (event) => {
  for (const menu of openMenus()) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

// A form is sent once, however often its button is pressed.
for (const form of document.querySelectorAll("form[method=post]")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
  });
}
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});
