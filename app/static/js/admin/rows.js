// [data-row]: the row of the submission beside the list is the chosen one; the title and the scroll follow.
import { on, onEach } from './dom.js';

/** The row that has the focus, or had it until it was drawn anew. */
let kept = '';

on('focusin', '*', (element) => {
  kept = element.closest('[data-row]')?.getAttribute('data-row') ?? '';
});

/**
 * The row that keys are about. A row that is drawn anew loses the browser's focus for a moment, and keys come quicker.
 * @returns {HTMLElement | null}
 */
export function focusedRow() {
  if (document.activeElement && document.activeElement !== document.body) {
    return document.activeElement.closest('[data-row]');
  }
  return kept ? document.querySelector(`[data-row="${kept}"]`) : null;
}

document.addEventListener('htmx:after:swap', () => {
  if (document.activeElement === document.body) focusedRow()?.focus({ preventScroll: true });
});

onEach('[data-submission], .detail__none', (/** @type {HTMLElement} */ shown) => {
  const id = shown.dataset.submission;
  for (const row of document.querySelectorAll('[data-row]')) {
    const chosen = row.getAttribute('data-row') === id;
    if (chosen) row.setAttribute('aria-current', 'true');
    else row.removeAttribute('aria-current');
  }
});

let last = document.querySelector('[data-submission]')?.getAttribute('data-submission');
document.addEventListener('htmx:after:swap', () => {
  const now = document.querySelector('[data-submission]')?.getAttribute('data-submission');
  if (now === last) return;
  last = now;
  document.querySelector('.detail')?.scrollTo(0, 0);
});
