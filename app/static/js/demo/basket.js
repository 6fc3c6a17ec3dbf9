/** The basket: lines in the page are its state; the header, the totals and the button follow them. */
import { money } from "./money.js";

/** What the parcel costs below the sum from which it is free (the notice at the top says so). */
const DELIVERY_CENTS = 590;
const FREE_FROM_CENTS = 6000;

/** @typedef {{id: string, name: string, cents: number, thumb: string}} Article */

/** @param {Document} root */
export function startBasket(root) {
  const lines = root.querySelector("[data-basket-lines]");
  if (!lines) return;
  const basket = new Basket(root, lines);
  lines.addEventListener("click", (event) => basket.change(event.target));
  for (const button of /** @type {NodeListOf<HTMLElement>} */ (
    root.querySelectorAll("[data-add]")
  )) {
    button.addEventListener("click", () => basket.add(articleOf(button)));
  }
  startPan(root, basket);
}

/**
 * The pan itself: its price and its article depend on the diameter that is chosen.
 * @param {Document} root
 * @param {Basket} basket
 */
function startPan(root, basket) {
  const sizes = root.querySelector("[data-sizes]");
  const price = root.querySelector("[data-price]");
  const image = /** @type {HTMLImageElement | null} */ (root.querySelector(".thumb img"));
  const chosen = () =>
    /** @type {HTMLInputElement | null} */ (sizes?.querySelector("input:checked") ?? null);
  sizes?.addEventListener("change", () => {
    if (price) price.textContent = money(Number(chosen()?.dataset.priceCents));
  });
  root.querySelector("[data-add-pan]")?.addEventListener("click", () => {
    const size = chosen();
    if (!size) return;
    basket.add({
      id: `pan-${size.value}`,
      name: `Cast-iron pan, ${size.value} cm`,
      cents: Number(size.dataset.priceCents),
      thumb: image?.src ?? "",
    });
  });
}

/**
 * @param {HTMLElement} button
 * @returns {Article}
 */
function articleOf(button) {
  const { add = "", name = "", priceCents = "0", thumb = "" } = button.dataset;
  return { id: add, name, cents: Number(priceCents), thumb };
}

class Basket {
  #root;
  #lines;

  /**
   * @param {Document} root
   * @param {Element} lines
   */
  constructor(root, lines) {
    this.#root = root;
    this.#lines = lines;
  }

  /** @param {Article} article */
  add(article) {
    const line = this.#line(article.id) ?? this.#newLine(article);
    if (!line) return;
    this.#setQuantity(line, Number(line.dataset.quantity) + 1);
    this.#say(`${article.name} is in your basket`);
  }

  /**
   * Count a line up or down after a click in the list.
   * @param {EventTarget | null} target
   */
  change(target) {
    const button = target instanceof Element ? target.closest("button") : null;
    const line = /** @type {HTMLElement | null} */ (button?.closest("[data-line]") ?? null);
    if (!button || !line) return;
    this.#setQuantity(
      line,
      Number(line.dataset.quantity) + (button.hasAttribute("data-more") ? 1 : -1),
    );
  }

  /** @param {string} id */
  #line(id) {
    return /** @type {HTMLElement | null} */ (this.#lines.querySelector(`[data-line="${id}"]`));
  }

  /** @param {Article} article */
  #newLine(article) {
    const shape = /** @type {HTMLTemplateElement | null} */ (
      this.#root.querySelector("[data-line-shape]")
    );
    const line = /** @type {HTMLElement | null} */ (
      shape?.content.firstElementChild?.cloneNode(true) ?? null
    );
    if (!line) return null;
    Object.assign(line.dataset, {
      line: article.id,
      priceCents: String(article.cents),
      quantity: "0",
    });
    line.querySelector("img")?.setAttribute("src", article.thumb);
    line.querySelector("[data-less]")?.setAttribute("aria-label", `One less of ${article.name}`);
    line.querySelector("[data-more]")?.setAttribute("aria-label", `One more of ${article.name}`);
    write(line, "[data-line-name]", article.name);
    write(line, "[data-line-price]", money(article.cents));
    this.#lines.append(line);
    return line;
  }

  /**
   * @param {HTMLElement} line
   * @param {number} quantity
   */
  #setQuantity(line, quantity) {
    if (quantity < 1) {
      line.remove();
    } else {
      line.dataset.quantity = String(quantity);
      write(line, "[data-line-quantity]", String(quantity));
      write(line, "[data-line-sum]", money(quantity * Number(line.dataset.priceCents)));
    }
    this.#total();
  }

  #total() {
    let count = 0;
    let cents = 0;
    for (const line of /** @type {NodeListOf<HTMLElement>} */ (
      this.#lines.querySelectorAll("[data-line]")
    )) {
      count += Number(line.dataset.quantity);
      cents += Number(line.dataset.quantity) * Number(line.dataset.priceCents);
    }
    const delivery = count === 0 || cents >= FREE_FROM_CENTS ? 0 : DELIVERY_CENTS;
    write(this.#root, "[data-basket-count]", String(count));
    write(this.#root, "[data-basket-delivery]", delivery ? money(delivery) : "Free");
    write(this.#root, "[data-basket-total]", money(cents + delivery));
    this.#root.querySelector("[data-basket-none]")?.toggleAttribute("hidden", count > 0);
  }

  /** @param {string} text */
  #say(text) {
    write(this.#root, "[data-add-status]", text);
  }
}

/**
 * @param {ParentNode} root
 * @param {string} selector
 * @param {string} text
 */
function write(root, selector, text) {
  for (const element of root.querySelectorAll(selector)) element.textContent = text;
}
