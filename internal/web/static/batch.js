// How far a batch is, as it happens. Each event is the part of the page that shows it,
// so that nothing is lost where the connection was.

const place = document.getElementById("progress");
const lost = document.getElementById("lost");
const announcer = document.getElementById("announcer");
const first = 1000; // ms before the first attempt to come back
const longest = 15000;
const elsewhere = 5000; // ms between two looks at the rest of the page
let wait = first;
let told = "";
let watcher = 0;

function show(html) {
  const part = new DOMParser().parseFromString(html, "text/html").body.firstElementChild;
  part.querySelector(".numbers").classList.add("reserved"); // its place stays at the end, too
  place.replaceChildren(part);
  part.dispatchEvent(new CustomEvent("mintage:added", { bubbles: true }));
  announce(part);
  return part;
}

// announce speaks at each change of state and each quarter of the way, not more often.
function announce(part) {
  const now = part.dataset.state + Math.floor(part.dataset.percent / 25);
  if (told && told !== now) announcer.textContent = part.dataset.say;
  told = now;
}

// The rest of the page changes less often: what to do next, the counts, what went wrong.
async function refresh() {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok || answer.redirected) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const id of ["next", "outcome", "counts"]) {
    const old = document.getElementById(id);
    const latest = page.getElementById(id);
    if (!old || !latest || old.dataset.shown === latest.outerHTML || old.contains(document.activeElement)) continue;
    latest.dataset.shown = latest.outerHTML;
    old.replaceWith(latest);
    latest.dispatchEvent(new CustomEvent("mintage:added", { bubbles: true }));
  }
}
const refreshQuietly = () => refresh().catch(() => {}); // it comes again, or with the next visit

function follow() {
  const stream = new EventSource(place.dataset.src);
  stream.addEventListener("progress", (event) => {
    wait = first;
    lost.classList.remove("seen");
    if ("final" in show(event.data).dataset) {
      stream.close();
      clearInterval(watcher);
      refreshQuietly();
    }
  });
  // Whoever may not see it any more is told so by the page itself.
  stream.addEventListener("ended", () => {
    stream.close();
    location.reload();
  });
  stream.addEventListener("error", () => {
    stream.close();
    lost.classList.add("seen"); // above the page, so that nothing moves
    if (wait === first) announcer.textContent = lost.querySelector("span").textContent;
    setTimeout(follow, wait * (0.75 + Math.random() / 2)); // not all at once
    wait = Math.min(2 * wait, longest);
  });
  addEventListener("pagehide", () => stream.close(), { once: true });
}

if (!("done" in place.dataset)) {
  follow();
  watcher = setInterval(refreshQuietly, elsewhere);
  addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });
}
