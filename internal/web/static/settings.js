// The accent colour is shown as it is chosen: the server draws it, as it will be.
const text = document.querySelector("input[name=accent_colour]");
const picker = document.getElementById("accent-picker");
const colour = /^#[0-9a-f]{6}$/i;

let asked = 0;
let waiting;
async function show() {
  const value = text.value.trim();
  if (value !== "" && !colour.test(value)) return;
  const mine = ++asked;
  try {
    const answer = await fetch("/settings?accent_colour=" + encodeURIComponent(value));
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const looks = page.getElementById("looks");
    if (mine !== asked || !looks) return; // a later colour is on its way
    document.getElementById("looks").replaceChildren(...looks.childNodes);
    if (value === "") picker.value = page.getElementById("accent-picker").value;
  } catch {
    // Without the server the drawing stays as it was; saving will tell.
  }
}
function soon() {
  clearTimeout(waiting);
  waiting = setTimeout(show, 120);
}
if (text && picker) {
  document.querySelector("[data-preview]").hidden = true;
  text.addEventListener("input", () => {
    if (colour.test(text.value.trim())) picker.value = text.value.trim().toLowerCase();
    soon();
  });
  picker.addEventListener("input", () => {
    text.value = picker.value;
    soon();
  });
}

// A page that shows a secret once answers a form. To reload it is not to send the form
// again.
const once = document.querySelector("[data-once]");
if (once) history.replaceState(null, "", once.dataset.once);
