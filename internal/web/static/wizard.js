// What the wizard does more comfortably with script: search as one types, rows of lots
// that come and go, their sum, the preview, and an address that always holds what was
// typed, so that reload and the back button lose nothing.

const form = document.getElementById("wizard");
const here = new URL(location.href);
const numbers = new Intl.NumberFormat(document.documentElement.lang);

// address is the URL of the step with what is in its fields now.
function address() {
  const query = new URLSearchParams(new FormData(form));
  query.delete("step");
  return `${here.pathname}?step=${form.dataset.step}&${query}`;
}
const remember = () => history.replaceState(null, "", address());

function later(wait, fn) {
  let timer;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(fn, wait);
  };
}

// refresh fetches the page at an address and takes over one part of it. Of several
// answers under way only that to the last question counts.
let asked;
async function refresh(url, part) {
  asked?.abort();
  asked = new AbortController();
  try {
    const answer = await fetch(url, { signal: asked.signal, headers: { Accept: "text/html" } });
    if (!answer.ok) throw new Error(answer.status);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById(part);
    if (!fresh) throw new Error(answer.url); // such as the sign-in page
    document.getElementById(part).replaceChildren(...fresh.childNodes);
    document.getElementById(part).dispatchEvent(new CustomEvent("mintage:added", { bubbles: true }));
  } catch (error) {
    if (error.name !== "AbortError") location.href = url; // the page says what is wrong
  }
}

form.addEventListener("submit", remember);
form.addEventListener("change", remember);

const search = document.getElementById("q");
if (search) {
  const find = later(160, async () => {
    if (form.elements.q.value === search.value) return;
    form.elements.q.value = search.value;
    remember();
    await refresh(address(), "results");
  });
  search.addEventListener("input", find);
  document.getElementById("search").addEventListener("submit", (event) => {
    event.preventDefault();
    find();
  });
}

const lots = document.getElementById("lots");
if (lots) {
  const rows = lots.querySelector(".lot-rows");
  const sum = document.getElementById("lot-sum");
  const quantity = document.getElementById("quantity");
  const all = () => [...rows.querySelectorAll(".lot-row")];
  const inputs = (row) => [...row.querySelectorAll("input")];
  const blank = (row) => inputs(row).every((input) => input.value.trim() === "");
  const model = all().at(-1).cloneNode(true);
  let next = all().length;

  // read is the number that somebody wrote, its digits grouped or not, or NaN.
  const read = (text) => {
    const plain = text.trim().replace(/[\s’]/g, (c) => (c === "’" ? "'" : " "));
    return /^(\d+|\d{1,3}(([ .,'])\d{3}(\3\d{3})*))$/.test(plain) ? Number(plain.replace(/\D/g, "")) : NaN;
  };

  const say = () => {
    const wanted = read(quantity.value);
    document.getElementById("over").hidden = !("left" in quantity.dataset && wanted > Number(quantity.dataset.left));
    const given = all().filter((row) => !blank(row)).map((row) => inputs(row)[1].value);
    const open = given.filter((text) => text.trim() === "").length;
    const total = given.reduce((n, text) => n + (text.trim() === "" ? 0 : read(text)), 0);
    sum.className = "";
    sum.value = "";
    if (given.length === 0 || !(wanted > 0) || Number.isNaN(total)) return;
    const missing = open === 1 ? Math.min(0, wanted - total - 1) : wanted - total;
    const words = missing > 0 ? sum.dataset.less : missing < 0 ? sum.dataset.more : sum.dataset.sum;
    const number = missing === 0 ? wanted : missing < 0 && open === 1 ? total + 1 - wanted : Math.abs(missing);
    sum.value = words.replace("{n}", numbers.format(number));
    sum.className = missing === 0 ? "right" : "wrong";
  };

  const number = (row, n) => {
    inputs(row).forEach((input, i) => {
      const id = `${i ? "lot_quantity" : "lot_code"}-${n}`;
      const label = row.querySelector(`label[for="${input.id}"]`);
      input.id = id;
      label.htmlFor = id;
      label.textContent = label.textContent.replace(/\d+/, n + 1);
    });
  };

  const prepare = (row) => {
    const remove = row.querySelector(".remove");
    remove.hidden = false;
    remove.addEventListener("click", () => {
      const list = all();
      const near = list[list.indexOf(row) + 1] ?? list[list.indexOf(row) - 1];
      if (list.length === 1) inputs(row).forEach((input) => (input.value = ""));
      else row.remove();
      inputs(near ?? row)[0].focus();
      changed();
    });
  };

  const add = () => {
    const row = model.cloneNode(true);
    inputs(row).forEach((input) => {
      input.value = "";
      input.removeAttribute("aria-invalid");
      input.removeAttribute("aria-describedby");
    });
    row.querySelectorAll(".fault").forEach((fault) => fault.remove());
    number(row, next++);
    prepare(row);
    rows.append(row);
    return row;
  };

  const preview = later(240, () => refresh(address(), "preview"));
  function changed() {
    say();
    remember();
    preview();
  }

  all().forEach(prepare);
  // One empty row is enough where more can be added.
  while (all().length > 1 && blank(all().at(-1)) && blank(all().at(-2))) all().at(-1).remove();
  const button = document.getElementById("add-lot");
  button.hidden = false;
  button.addEventListener("click", () => inputs(add())[0].focus());
  form.addEventListener("input", changed);

  // Two columns of a spreadsheet fill rows.
  rows.addEventListener("paste", (event) => {
    const text = event.clipboardData.getData("text").trim();
    if (!/[\t\n]/.test(text)) return;
    event.preventDefault();
    let row = event.target.closest(".lot-row");
    for (const line of text.split(/\r?\n/)) {
      row ??= add();
      line.split("\t").slice(0, 2).forEach((cell, i) => (inputs(row)[i].value = cell.trim()));
      row = row.nextElementSibling;
    }
    changed();
  });
  say();
}
