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

/**
 * The row to go on from in a list that was loaded again: the one that keys are about; if that is gone, the next
 * that stood below it, else above it; else the first.
 * @param {string[]} order ids of the rows before
 * @returns {HTMLElement | null}
 */
export function placeIn(order) {
  const at = order.indexOf(kept);
  const near = at < 0 ? [] : [...order.slice(at), ...order.slice(0, at).reverse()];
  for (const id of near) {
    const row = document.querySelector(`[data-row="${id}"]`);
    if (row instanceof HTMLElement) return row;
  }
  return document.querySelector('[data-row]');
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

// [data-place]: which of how many it is. Only the first page knows what stands before its rows.
onEach('[data-place]', (/** @type {HTMLElement} */ place) => {
  const rows = [...document.querySelectorAll('[data-row]')];
  const at = rows.findIndex((row) => row.getAttribute('aria-current') === 'true');
  const count = document.getElementById('count')?.textContent?.trim();
  place.hidden = at < 0 || !count || document.querySelector('[data-page="prev"]') !== null;
  place.textContent = place.hidden ? '' : `${at + 1} of ${count}`;
});

let last = document.querySelector('[data-submission]')?.getAttribute('data-submission');
document.addEventListener('htmx:after:swap', () => {
  const now = document.querySelector('[data-submission]')?.getAttribute('data-submission');
  if (now === last) return;
  last = now;
  document.querySelector('.detail')?.scrollTo(0, 0);
});
