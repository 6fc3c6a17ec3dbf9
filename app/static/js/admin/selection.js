// [data-pick]: choosing rows by checkbox, x or shift; the bar above the list acts on what is chosen.
import { act, mayAct, merge, remove } from './acts.js';
import { ask } from './ask.js';
import { on, onEach } from './dom.js';
import { post } from './requests.js';

/** More than this is asked about first, although it can be undone. */
const ASKED_FROM = 100;
const number = new Intl.NumberFormat('en-GB');
/** The row that a range begins at. */
let anchor = '';
/** How many all that match are; null while only rows of the page are chosen. */
let everything = /** @type {number | null} */ (null);
let selecting = false;

const list = () => /** @type {HTMLElement | null} */ (document.querySelector('[data-list]'));
/** @returns {HTMLInputElement[]} */
const boxes = () => [...document.querySelectorAll('[data-pick]')].filter((box) => box instanceof HTMLInputElement);
const chosen = () => boxes().filter(({ checked }) => checked);
/** @param {HTMLInputElement} box */
const idOf = (box) => box.dataset.pick ?? '';

export const isSelecting = () => selecting;

/** @returns {import('./acts.js').Target} what is chosen */
export function target() {
  const ids = chosen().map(idOf);
  return everything === null ? { ids } : { ids, filter: JSON.parse(list()?.dataset.filter ?? '{}') };
}

/**
 * Chooses a row, or no longer.
 * @param {string} id
 * @param {boolean} [range] everything from the last one chosen to this
 */
export function toggle(id, range = false) {
  const box = boxes().find((found) => idOf(found) === id);
  if (!mayAct() || !box) return;
  pick(box, !box.checked, range);
}

/**
 * @param {HTMLInputElement} box
 * @param {boolean} on
 * @param {boolean} range
 */
function pick(box, on, range) {
  const all = boxes();
  const from = all.findIndex((found) => idOf(found) === anchor);
  const to = all.indexOf(box);
  const [first, last] = range && from >= 0 ? [Math.min(from, to), Math.max(from, to)] : [to, to];
  for (const each of all.slice(first, last + 1)) each.checked = range || on;
  anchor = idOf(box);
  everything = null;
  start();
}

export function pickAll() {
  const all = boxes();
  const on = all.some(({ checked }) => !checked);
  for (const box of all) box.checked = on;
  everything = null;
  start();
}

function start() {
  selecting = true;
  show();
}

export function end() {
  selecting = false;
  everything = null;
  anchor = '';
  for (const box of boxes()) box.checked = false;
  show();
}

/** Draws the bar in the place of the quick filters. */
function show() {
  const here = list();
  const bar = document.querySelector('[data-bulk]');
  if (!here || !(bar instanceof HTMLElement)) return;
  here.toggleAttribute('data-selecting', selecting);
  bar.hidden = !selecting;
  const count = everything ?? chosen().length;
  bar.toggleAttribute('data-none', count === 0);
  for (const button of bar.querySelectorAll('[data-bulk-set], [data-bulk-delete]')) {
    if (button instanceof HTMLButtonElement) button.disabled = count === 0;
  }
  setWords(bar, count);
}

/**
 * @param {HTMLElement} bar
 * @param {number} count
 */
function setWords(bar, count) {
  const said = bar.querySelector('[data-bulk-said]');
  if (said) said.textContent = everything === null ? `${count} selected` : `All ${number.format(count)} selected`;
  const all = bar.querySelector('[data-pick-all]');
  if (all instanceof HTMLInputElement) {
    all.checked = count > 0 && chosen().length === boxes().length;
    all.indeterminate = count > 0 && !all.checked;
  }
  const more = bar.querySelector('[data-everything]');
  if (!(more instanceof HTMLElement)) return;
  const known = Number(list()?.dataset.count);
  const hasMore = document.querySelector('[data-page]') !== null;
  more.hidden = everything !== null || !hasMore || !(all instanceof HTMLInputElement && all.checked);
  more.textContent = known ? `All ${number.format(known)}` : 'All that match';
}

on('click', '[data-select-start]', start);
on('click', '[data-select-end]', end);
on('click', '[data-pick-all]', pickAll);

on('click', '[data-pick]', (box, event) => {
  if (!(box instanceof HTMLInputElement)) return;
  pick(box, box.checked, /** @type {MouseEvent} */ (event).shiftKey);
});

// Shift and a press on a row chooses up to it, where rows are being chosen.
document.addEventListener(
  'click',
  (event) => {
    const row = event.target instanceof Element ? event.target.closest('[data-row]') : null;
    if (!row || !event.shiftKey || !mayAct()) return;
    event.preventDefault();
    event.stopPropagation();
    toggle(row.getAttribute('data-row') ?? '', true);
  },
  { capture: true },
);

on('click', '[data-everything]', async () => {
  const filter = JSON.parse(list()?.dataset.filter ?? '{}');
  const answer = await post('/admin/api/feedback/bulk', { filter, set: { is_read: true }, dry_run: true }).catch(() => null);
  if (!answer) return;
  everything = answer.count;
  show();
});

on('click', '[data-bulk-set]', async (button) => {
  const verb = button.dataset.verb ?? button.textContent?.trim() ?? '';
  await actOnChosen(JSON.parse(button.dataset.bulkSet ?? '{}'), verb);
});

on('submit', '[data-bulk-tag-form]', async (form, event) => {
  event.preventDefault();
  const field = form.querySelector('input');
  const names = (field?.value ?? '').split(',').map((name) => name.trim()).filter(Boolean);
  const menu = form.closest('details[data-menu]');
  if (!names.length || !(menu instanceof HTMLDetailsElement)) return;
  menu.open = false;
  if (field) field.value = '';
  await actOnChosen({ add_tags: names }, `Tag {n} ${names.join(', ')}`);
});

const dayOf = new Intl.DateTimeFormat('en-GB', { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' });

on('submit', '[data-bulk-snooze-form]', async (form, event) => {
  event.preventDefault();
  const menu = form.closest('details[data-menu]');
  // Nine o'clock of the reader, as the menu of one submission means it.
  const until = new Date(`${form.querySelector('input')?.value}T09:00`);
  if (!(menu instanceof HTMLDetailsElement) || Number.isNaN(until.getTime())) return;
  menu.open = false;
  await actOnChosen({ snoozed_until: until.toISOString() }, `Snooze {n} until ${dayOf.format(until)}, 09:00`);
});

on('click', '[data-bulk-merge]', async () => {
  const { ids } = target();
  const words = 'The one that was sent first stays. The others are closed and point to it; each keeps its thread and picture.';
  if (everything !== null || ids.length < 2) {
    await ask('Choose two or more first', 'Only submissions of this page that are chosen one by one are merged.', 'Close');
    return;
  }
  if (!(await ask(`Merge ${submissions(ids.length)} into one?`, words, 'Merge them'))) return;
  end();
  await merge(ids);
});

on('click', '[data-bulk-delete]', async () => {
  const whose = target();
  const count = everything ?? whose.ids.length;
  const words = 'The words, the notes and the pictures are removed. This cannot be undone. What is held stays.';
  if (!(await ask(`Delete ${submissions(count)} for good?`, words, `Delete ${submissions(count)}`))) return;
  end();
  await remove(whose);
});

/**
 * @param {Record<string, unknown>} values
 * @param {string} verb in front of how many, or with `{n}` in their place
 */
export async function actOnChosen(values, verb) {
  const whose = target();
  const count = everything ?? whose.ids.length;
  if (!count) return;
  const [title, yes] = verb.includes('{n}')
    ? [`${verb.replace('{n}', submissions(count))}?`, verb.replace('{n}', submissions(count))]
    : [`${verb}: ${submissions(count)}?`, `${verb} ${submissions(count)}`];
  if (count > ASKED_FROM && !(await ask(title, 'It can be undone for an hour.', yes))) return;
  end();
  await act(whose, values);
}

/** @param {number} count */
const submissions = (count) => `${number.format(count)} submission${count === 1 ? '' : 's'}`;

// People, categories and tags are fetched when the menu opens for the first time.
document.addEventListener(
  'toggle',
  (event) => {
    const menu = event.target;
    if (!(menu instanceof HTMLDetailsElement) || !menu.matches('[data-bulk-menu]') || !menu.open) return;
    const part = menu.querySelector('[hx-trigger^="earmark:choices"]');
    part?.dispatchEvent(new CustomEvent('earmark:choices'));
  },
  { capture: true },
);

// Another list is another choice; what was chosen while the same one was loaded again stays chosen.
let shown = list();
onEach('[data-list]', (/** @type {HTMLElement} */ here) => {
  if (here === shown) return;
  const goesOn = selecting && shown?.dataset.list === here.dataset.list;
  const kept = goesOn && shown ? picked(shown) : [];
  const from = anchor;
  shown = here;
  end();
  if (!goesOn) return;
  for (const box of boxes()) box.checked = kept.includes(idOf(box));
  anchor = from;
  start();
});

/** @param {HTMLElement} where */
function picked(where) {
  const found = [...where.querySelectorAll('[data-pick]:checked')].filter((box) => box instanceof HTMLInputElement);
  return found.map(idOf);
}
