// Comforts of the pages of products and production batches.

// A choice that narrows a list takes effect at once.
for (const select of document.querySelectorAll("select[data-submit]")) {
  select.addEventListener("change", () => select.form.requestSubmit());
}

// A list of rows grows by the button; without script each save offers one more.
for (const grid of document.querySelectorAll("[data-rows]")) {
  const button = grid.querySelector("[data-add-row]");
  button.hidden = false;
  button.addEventListener("click", () => {
    const rows = grid.querySelectorAll(".row");
    const row = rows[rows.length - 1].cloneNode(true);
    const from = `${grid.dataset.rows}/${rows.length - 1}/`;
    const to = `${grid.dataset.rows}/${rows.length}/`;
    for (const fault of row.querySelectorAll(".fault")) fault.remove();
    for (const input of row.querySelectorAll("input, select, textarea")) {
      const label = row.querySelector(`label[for="${CSS.escape(input.id)}"]`);
      input.name = input.id = to + input.name.slice(from.length);
      label.htmlFor = input.id;
      input.value = "";
      input.removeAttribute("aria-invalid");
    }
    button.before(row);
    row.querySelector("input, select, textarea").focus();
  });
}

// A file can be dropped on its field.
for (const area of document.querySelectorAll("[data-drop]")) {
  const input = area.querySelector("input[type=file]");
  const over = (is) => (event) => {
    event.preventDefault();
    area.classList.toggle("over", is);
  };
  area.addEventListener("dragover", over(true));
  area.addEventListener("dragleave", over(false));
  area.addEventListener("drop", (event) => {
    over(false)(event);
    if (event.dataTransfer.files.length > 0) input.files = event.dataTransfer.files;
  });
}

// While a file is on its way, the button says so.
for (const button of document.querySelectorAll("button[data-busy]")) {
  button.form.addEventListener("submit", () => {
    button.dataset.text ??= button.textContent;
    button.textContent = button.dataset.busy;
  });
  addEventListener("pageshow", () => {
    if (button.dataset.text) button.textContent = button.dataset.text;
  });
}
