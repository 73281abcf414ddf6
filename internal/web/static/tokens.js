// A token's page opens in a panel beside the list. Its address is the page's, so that it
// can be reloaded, sent on and left with the browser's back button.

let panel; // the dialog, while it is open
let opener; // the link that opened it
const listURL = location.href;
const listTitle = document.title;

async function load(url) {
  const answer = await fetch(url, { headers: { Accept: "text/html" } });
  if (!answer.ok || answer.redirected) throw new Error(answer.status);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const token = page.querySelector("article.token");
  if (!token) throw new Error("no token");
  return { token: document.adoptNode(token), title: page.title };
}

function button(className, label) {
  const b = document.createElement("button");
  b.type = "button";
  b.className = className;
  b.setAttribute("aria-label", label);
  b.title = label;
  return b;
}

async function open(url) {
  const { token, title } = await load(url);
  const dialog = document.createElement("dialog");
  dialog.className = "side";
  dialog.setAttribute("aria-labelledby", "token-title");
  const close = button("side-close", token.dataset.close);
  close.textContent = "×";
  close.addEventListener("click", leave);
  const whole = document.createElement("a");
  whole.className = "side-page small";
  whole.href = url;
  whole.textContent = token.dataset.page;
  const bar = document.createElement("div");
  bar.className = "side-bar";
  bar.append(whole, close);
  dialog.append(bar, token);
  // Escape, and a click beside the panel.
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    leave();
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) leave();
  });
  panel?.remove();
  panel = dialog;
  document.body.append(dialog);
  dialog.dispatchEvent(new CustomEvent("mintage:added", { bubbles: true }));
  dialog.showModal();
  close.focus();
  document.title = title;
}

// leave goes back in the history, which closes the panel.
function leave() {
  history.back();
}

function shut() {
  if (!panel) return;
  panel.close();
  panel.remove();
  panel = undefined;
  document.title = listTitle;
  opener?.focus();
}

document.addEventListener("click", async (event) => {
  const link = event.target.closest("a[data-panel]");
  if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  opener = link;
  try {
    await open(link.href);
    history.pushState({ token: link.href }, "", link.href);
  } catch {
    location.href = link.href; // the page says what is wrong
  }
});

addEventListener("popstate", async (event) => {
  // After a reload this is the page of a token. It has no list that it could go back to.
  if (!document.querySelector("main a[data-panel]")) {
    location.reload();
    return;
  }
  if (!event.state?.token) {
    shut();
    return;
  }
  try {
    await open(event.state.token); // forward again
  } catch {
    location.reload();
  }
});

// A page that comes back from the browser's memory shows the list that it was.
addEventListener("pageshow", (event) => {
  if (event.persisted && location.href === listURL) shut();
});
