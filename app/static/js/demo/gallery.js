/** The product's pictures: a small one is a link to its large one, which then takes the stage. */

/** @param {ParentNode} root */
export function startGallery(root) {
  const stage = /** @type {HTMLImageElement | null} */ (root.querySelector("[data-gallery-image]"));
  const picks = /** @type {NodeListOf<HTMLAnchorElement>} */ (
    root.querySelectorAll("[data-gallery-pick]")
  );
  if (!stage) return;
  for (const pick of picks) {
    pick.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      show(stage, pick);
      for (const other of picks) other.removeAttribute("aria-current");
      pick.setAttribute("aria-current", "true");
    });
  }
}

/**
 * @param {HTMLImageElement} stage
 * @param {HTMLAnchorElement} pick
 */
function show(stage, pick) {
  stage.srcset = pick.dataset.srcset ?? "";
  stage.sizes = "(max-width: 800px) 100vw, 730px";
  stage.src = pick.href;
  stage.alt = pick.querySelector("img")?.alt ?? "";
}
