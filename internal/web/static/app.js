// Comforts that a page does without where there is no script.

// Times in the reader's zone; the server writes UTC, which stays in the title.
// Of the browser's languages the one that is the page's knows the country too.
const pageLanguage = document.documentElement.lang;
const language = navigator.languages.find((l) => l.split("-")[0] === pageLanguage) ?? pageLanguage;
const dateAndTime = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });
const toTheSecond = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "medium" });
function showTimes(root) {
  for (const element of root.querySelectorAll("time[datetime]:not([data-shown])")) {
    element.title = element.textContent.trim();
    element.textContent = ("seconds" in element.dataset ? toTheSecond : dateAndTime).format(new Date(element.dateTime));
    element.dataset.shown = "";
  }
}

// Identifiers become buttons that copy them whole; without script they are text.
function makeCopyable(root) {
  for (const text of root.querySelectorAll("[data-copy]:not(button)")) copyButton(text);
}
function copyButton(text) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = text.className;
  button.title = text.title;
  button.dataset.copy = text.dataset.copy;
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

// enhance does all of this to what is in the page, and to what a module adds to it.
function enhance(root) {
  showTimes(root);
  makeCopyable(root);
}
enhance(document);
document.addEventListener("mintage:added", (event) => enhance(event.target));

// The next part of a list goes under the part before.
document.addEventListener("click", async (event) => {
  const link = event.target.closest("a[data-more]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  if (link.getAttribute("aria-busy")) return;
  link.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(link.href, { headers: { Accept: "text/html" } });
    if (!answer.ok) throw new Error(answer.status);
    const next = new DOMParser().parseFromString(await answer.text(), "text/html");
    const rows = [...next.querySelectorAll("main .table tbody > tr")];
    const body = document.querySelector("main .table tbody");
    body.append(...rows);
    enhance(body);
    const more = next.querySelector("a[data-more]");
    if (more) {
      link.href = more.getAttribute("href");
      link.textContent = more.textContent;
      link.removeAttribute("aria-busy");
    } else {
      link.parentElement.remove();
    }
    rows[0]?.querySelector("a, button")?.focus();
  } catch {
    location.href = link.href; // the page says what is wrong
  }
});

// "/" leads to the search.
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.target.closest("input, select, textarea")) return;
  const search = document.querySelector("input[type=search]");
  if (!search) return;
  event.preventDefault();
  search.focus();
  search.select();
});

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
