/** The two forms of the shop. Nothing leaves the page: a form answers in words, under its fields. */

/** @param {Document} root */
export function startForms(root) {
  const account = /** @type {HTMLFormElement | null} */ (root.querySelector("[data-account]"));
  const checkout = /** @type {HTMLFormElement | null} */ (root.querySelector("[data-checkout]"));
  account?.addEventListener("submit", (event) => {
    event.preventDefault();
    saveAccount(root, account);
  });
  checkout?.addEventListener("submit", (event) => {
    event.preventDefault();
    pay(root, checkout);
  });
}

/**
 * @param {Document} root
 * @param {HTMLFormElement} form
 */
function saveAccount(root, form) {
  const name = String(new FormData(form).get("name") ?? "").trim();
  const shown = root.querySelector("[data-account-name]");
  if (shown && name) shown.textContent = name;
  for (const field of form.querySelectorAll("input")) {
    if (field.type !== "password") field.defaultValue = field.value;
  }
  form.reset();
  answer(form, "Saved until you leave this page.");
}

/**
 * @param {Document} root
 * @param {HTMLFormElement} form
 */
function pay(root, form) {
  if (!root.querySelector("[data-basket-lines] [data-line]")) {
    answer(form, "Your basket is empty, so there is nothing to pay.");
    return;
  }
  answer(form, "Thank you. Nothing was charged: this shop is made up.");
}

/**
 * @param {HTMLFormElement} form
 * @param {string} text
 */
function answer(form, text) {
  const status = form.querySelector("[data-form-status]");
  if (!status) return;
  status.textContent = text;
  status.classList.add("panel__note--done");
}
