// Rows, list and open submission as the server has them now: one request at a time each, and what is asked last is shown.
import { keepTrying, stopTrying } from './again.js';
import { onEach } from './dom.js';
import { fetchPart } from './requests.js';
import { placeIn } from './rows.js';
import { isWaiting } from './rows-state.js';
import { refuse } from './toast.js';

/** Rows that the server may know better. @type {Set<string>} */
const stale = new Set();
/** Submissions that this page itself has changed since it showed them. @type {Set<string>} */
const changed = new Set();
let drawn = /** @type {Element | null} */ (null);
const drawRows = inOneGo(async () => {
  const ids = [...stale];
  stale.clear();
  await refreshThese(ids);
});
const drawList = inOneGo(fetchList);
const drawOpen = inOneGo(fetchOpen);

/**
 * Runs now, or once more after what is under way: htmx drops the third of three requests for one place.
 * @param {() => Promise<void>} run
 * @returns {() => Promise<void>} done when nothing asked for so far is left
 */
function inOneGo(run) {
  let asked = false;
  let running = /** @type {Promise<void> | null} */ (null);
  const go = async () => {
    try {
      while (asked) {
        asked = false;
        await run();
      }
    } finally {
      running = null;
    }
  };
  return () => {
    asked = true;
    running ??= go();
    return running;
  };
}

/**
 * Notes a change by this page, after which an open submission is drawn anew although a reply is half written: that is kept.
 * @param {string[]} ids
 */
export function noteChange(ids) {
  for (const id of ids) changed.add(id);
}

/** @param {string} id */
export const isChanged = (id) => changed.has(id);

/**
 * Shows rows, boxes and the open submission as the server has them.
 * @param {string[]} ids
 */
export function refreshRows(ids) {
  for (const id of ids) stale.add(id);
  return drawRows();
}

/** @param {string[]} ids */
async function refreshThese(ids) {
  const list = document.querySelector('[data-rows-url]');
  // Not the list: its queue is that of requests for a whole list, which are dropped while another is under way.
  const source = document.getElementById('places');
  if (!(list instanceof HTMLElement) || !source) return;
  const here = ids.filter((id) => document.getElementById(`row-${id}`));
  const base = list.dataset.rowsUrl ?? '';
  const isLost = await fetchPart(`${base}${base.includes('?') ? '&' : '?'}ids=${here.join(',')}`, { source, swap: 'none' });
  if (isLost) {
    for (const id of ids) stale.add(id);
    keepTrying('rows', drawRows, tellOld);
    return;
  }
  stopTrying('rows');
  refreshOpen(ids);
}

/** @param {number | null} left */
function tellOld(left) {
  if (left === null) refuse('The server has not answered for some minutes. What you see may be old.', '');
}

/** Loads the list again; the open submission stays, and so do the place in the list and words that were not sent. */
export function refreshList() {
  return drawList();
}

async function fetchList() {
  const list = document.querySelector('[data-list]');
  const source = list?.querySelector('[data-list-head]');
  if (!(list instanceof HTMLElement) || !source) return;
  const headers = { 'X-Earmark-Detail': 'keep' };
  let order = /** @type {string[]} */ ([]);
  let wasElsewhere = false;
  let giveBack = () => {};
  const before = (/** @type {Event} */ event) => {
    if (/** @type {CustomEvent} */ (event).detail.ctx.sourceElement !== source) return;
    order = [...document.querySelectorAll('[data-row]')].map((row) => row.getAttribute('data-row') ?? '');
    const at = document.activeElement;
    // What was hidden keeps the focus until the next frame.
    wasElsewhere = at !== null && at !== document.body && !list.contains(at) && at.checkVisibility();
    giveBack = typed();
  };
  document.addEventListener('htmx:before:swap', before);
  const isLost = await fetchPart(list.dataset.list ?? '', { source, target: '#list', swap: 'outerHTML', headers });
  document.removeEventListener('htmx:before:swap', before);
  if (isLost) keepTrying('refresh', drawList, tellOld);
  else stopTrying('refresh');
  if (list.isConnected) return; // it did not come
  if (!wasElsewhere) placeIn(order)?.focus();
  giveBack();
  refreshOpen([]);
}

/** @returns {() => void} puts the words of the search field that were not sent into the new one, with the focus */
function typed() {
  const field = searchField();
  if (!field || (field !== document.activeElement && field.value === field.defaultValue)) return () => {};
  const { value, selectionStart: start, selectionEnd: end } = field;
  const held = field === document.activeElement;
  return () => {
    const drawn = searchField();
    if (!drawn) return;
    drawn.value = value;
    if (held) drawn.focus();
    if (held) drawn.setSelectionRange(start, end);
  };
}

const searchField = () => /** @type {HTMLInputElement | null} */ (document.querySelector('[data-search]'));

/**
 * Shows the open submission anew, unless it is in use.
 * @param {string[]} ids those that changed; none: perhaps all
 */
export function refreshOpen(ids) {
  const id = document.querySelector('[data-submission]')?.getAttribute('data-submission');
  if (id && (!ids.length || ids.includes(id))) drawOpen();
}

async function fetchOpen() {
  const shown = document.querySelector('[data-submission]');
  const source = document.getElementById('detail');
  const id = shown?.getAttribute('data-submission') ?? '';
  const own = isChanged(id);
  if (!shown || !source || isInUse(shown, own)) return;
  let scrolled = 0;
  const before = (/** @type {Event} */ event) => {
    if (/** @type {CustomEvent} */ (event).detail.ctx.sourceElement !== source) return;
    scrolled = document.querySelector('.detail')?.scrollTop ?? 0;
    if (!shown.isConnected || isInUse(shown, own)) event.preventDefault(); // since it was asked for
  };
  document.addEventListener('htmx:before:swap', before);
  const path = `/admin/feedback/${id}${location.search}`;
  await fetchPart(path, { source, target: '#detail', swap: 'innerHTML' });
  document.removeEventListener('htmx:before:swap', before);
  if (!shown.isConnected) document.querySelector('.detail')?.scrollTo(0, scrolled);
}

/**
 * Whether somebody writes in it, or has: a field holds words that were not sent or the focus; or a menu of it is open.
 * @param {Element} shown
 * @param {boolean} [keepsDraft] a half-written reply without the focus does not count
 */
export function isInUse(shown, keepsDraft = false) {
  const fields = shown.querySelectorAll('textarea, input:not([type="hidden"], [type="checkbox"], [type="radio"])');
  const written = [...fields].some((field) => {
    if (field === document.activeElement) return true;
    const { value, defaultValue } = /** @type {HTMLInputElement} */ (field);
    return value !== defaultValue && !(keepsDraft && field.closest('[data-composer]'));
  });
  return written || shown.querySelector('details[data-menu][open]') !== null;
}

onEach('[data-submission]', (shown) => {
  if (shown === drawn) return;
  drawn = shown;
  for (const id of changed) if (!isWaiting(id)) changed.delete(id);
});
