// [data-menu]: a <details> that is a menu: one open at a time, closed by Escape, an outside press, or a choice.
import { on } from './dom.js';

const OPEN = 'details[data-menu][open]';

document.addEventListener('click', (event) => {
  const target = /** @type {Node} */ (event.target);
  for (const menu of openMenus()) if (!menu.contains(target)) menu.open = false;
});

document.addEventListener('focusin', (event) => {
  const target = /** @type {Node} */ (event.target);
  for (const menu of openMenus()) if (!menu.contains(target)) menu.open = false;
});

on('click', '[data-menu] .menu__panel :is(a, button:not([data-theme-next]))', (item) => {
  const menu = /** @type {HTMLDetailsElement | null} */ (item.closest('[data-menu]'));
  if (menu) menu.open = false;
});

document.addEventListener('keydown', (event) => {
  const menu = openMenus()[0];
  if (!menu) return;
  if (event.key === 'Escape') {
    menu.open = false;
    menu.querySelector('summary')?.focus();
    event.preventDefault();
  } else if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
    step(menu, event);
  }
});

/** @returns {HTMLDetailsElement[]} */
function openMenus() {
  return /** @type {HTMLDetailsElement[]} */ ([...document.querySelectorAll(OPEN)]);
}

/**
 * Moves the focus among the items of a menu; fields keep their own arrows.
 * @param {HTMLElement} menu
 * @param {KeyboardEvent} event
 */
function step(menu, event) {
  if (document.activeElement instanceof HTMLSelectElement) return;
  event.preventDefault();
  const by = event.key === 'ArrowDown' ? 1 : -1;
  const items = [...menu.querySelectorAll('summary, .menu__panel :is(a, button):not([hidden])')];
  const at = items.indexOf(/** @type {Element} */ (document.activeElement));
  const next = items[(at + by + items.length) % items.length];
  if (next instanceof HTMLElement) next.focus();
}
