// Rows of batches that are being minted keep up by themselves, as long as somebody
// looks: the page is asked for again, and what has changed is put in its place.

const every = 3000; // ms
const longest = 60000;
let wait = every;

async function refresh() {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok || answer.redirected) throw new Error(answer.status);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const row of page.querySelectorAll("#batches tbody > tr[id]")) replace(document.getElementById(row.id), row);
  replace(document.getElementById("figures"), page.getElementById("figures"));
  return page.querySelector("#batches[data-live]") !== null;
}

// replace leaves alone what is the same, and what has the focus.
function replace(old, latest) {
  if (!old || !latest || old.dataset.shown === latest.outerHTML || old.contains(document.activeElement)) return;
  latest.dataset.shown = latest.outerHTML;
  old.replaceWith(latest);
  latest.dispatchEvent(new CustomEvent("mintage:added", { bubbles: true }));
}

async function later() {
  await new Promise((done) => setTimeout(done, wait));
  let live = true;
  if (document.visibilityState === "visible") {
    try {
      live = await refresh();
      wait = every;
    } catch {
      wait = Math.min(2 * wait, longest); // the server is away: it will be back
    }
  }
  if (live) later();
}

if (document.querySelector("#batches[data-live]")) later();
