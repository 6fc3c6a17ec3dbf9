// The table of keys: the handlers run it, the help sheet prints it, and the palette finds it.
import { act, mayAct, undo } from './acts.js';
import { isChanged } from './refresh.js';
import { focusedRow } from './rows.js';
import { actOnChosen, end, isSelecting, pickAll, target, toggle } from './selection.js';

/**
 * @typedef {{keys: string[], words: string, group: string, run: () => void, isHidden?: boolean}} Shortcut
 *   `isHidden`: of no use in the palette
 */

/** @type {Shortcut[]} */
export const SHORTCUTS = [
  { group: 'Move', keys: ['j'], words: 'Next submission', run: () => move(1), isHidden: true },
  { group: 'Move', keys: ['k'], words: 'Previous submission', run: () => move(-1), isHidden: true },
  { group: 'Move', keys: ['Enter'], words: 'Open the submission', run: () => {}, isHidden: true },
  { group: 'Move', keys: ['Escape'], words: 'Back to the list', run: back, isHidden: true },
  { group: 'Move', keys: ['.'], words: 'Show what is new', run: () => press('[data-arrivals]') },
  { group: 'Settle', keys: ['e'], words: 'Resolve, or open again', run: () => change('resolve', 'settled', 'status', ['resolved', 'open']) },
  { group: 'Settle', keys: ['u'], words: 'Mark as unread, or read', run: () => change('read', 'read', 'is_read', [true, false]) },
  { group: 'Settle', keys: ['y'], words: 'Archive, or take out', run: () => change('archive', 'archived', 'is_archived', [true, false]) },
  { group: 'Settle', keys: ['#'], words: 'Move to the trash', run: trash },
  { group: 'Settle', keys: ['s'], words: 'Status, or snooze', run: () => give('status') },
  { group: 'Settle', keys: ['z'], words: 'Undo the last act', run: () => void undo() },
  { group: 'Answer', keys: ['r'], words: 'Reply to the reporter', run: () => onOpen('reply') },
  { group: 'Answer', keys: ['n'], words: 'Write a note', run: () => onOpen('note') },
  { group: 'Answer', keys: ['a'], words: 'Assign to somebody', run: () => give('assign') },
  { group: 'Answer', keys: ['t'], words: 'Tag', run: () => give('tags') },
  { group: 'Answer', keys: ['i'], words: 'Insert a macro', run: () => onOpen('macros') },
  { group: 'Answer', keys: ['m'], words: 'Marks on or off', run: () => press('[data-marks-toggle]') },
  { group: 'Select', keys: ['x'], words: 'Select, or no longer', run: () => pick(false) },
  { group: 'Select', keys: ['X'], words: 'Select up to here', run: () => pick(true), isHidden: true },
  { group: 'Select', keys: ['*'], words: 'Select all on this page', run: pickAll },
  { group: 'Find', keys: ['/'], words: 'Search', run: () => onField('[data-search]') },
  { group: 'Find', keys: ['Ctrl', 'k'], words: 'All commands', run: () => {}, isHidden: true },
  { group: 'Find', keys: ['?'], words: 'This sheet', run: () => press('[data-keys-open]') },
  { group: 'Go to', keys: ['g', 'o'], words: 'Go to Open', run: () => press('[data-box="open"]'), isHidden: true },
  { group: 'Go to', keys: ['g', 'p'], words: 'Go to In progress', run: () => press('[data-box="in_progress"]'), isHidden: true },
  { group: 'Go to', keys: ['g', 'r'], words: 'Go to Resolved', run: () => press('[data-box="resolved"]'), isHidden: true },
  { group: 'Go to', keys: ['g', 'c'], words: 'Go to Closed', run: () => press('[data-box="closed"]'), isHidden: true },
  { group: 'Go to', keys: ['g', 'j'], words: 'Go to Rejected', run: () => press('[data-box="rejected"]'), isHidden: true },
  { group: 'Go to', keys: ['g', 's'], words: 'Go to Spam', run: () => press('[data-box="spam"]'), isHidden: true },
  { group: 'Go to', keys: ['g', 'z'], words: 'Go to Snoozed', run: () => press('[data-box="snoozed"]'), isHidden: true },
  { group: 'Go to', keys: ['g', 't'], words: 'Go to Trash', run: () => press('[data-box="trash"]'), isHidden: true },
];

/** @returns {HTMLElement[]} */
const rows = () => [...document.querySelectorAll('[data-row]')].filter((row) => row instanceof HTMLElement);
const chosen = () => /** @type {HTMLElement | null} */ (document.querySelector('[data-row][aria-current="true"]'));

/**
 * Moves the focus in the list; at its end, to the next page.
 * @param {1 | -1} by
 */
function move(by) {
  const all = rows();
  const from = all.indexOf(/** @type {HTMLElement} */ (focusedRow() ?? chosen()));
  const next = all[from < 0 ? 0 : from + by];
  if (next) next.focus();
  else press(`[data-page="${by > 0 ? 'next' : 'prev'}"]`);
}

/**
 * Changes what is selected, else the submission under the focus, else the open one.
 * @param {string} key of the button
 * @param {string} state the word of the row's state that the change sets or takes away
 * @param {string} field
 * @param {[unknown, unknown]} values what to set, and what to set where it holds already
 */
function change(key, state, field, values) {
  if (!mayAct()) return;
  if (isSelecting()) {
    const all = target().ids.map((id) => document.querySelector(`[data-row="${id}"]`));
    const holds = all.length > 0 && all.every((row) => has(row, state));
    actOnChosen({ [field]: values[holds ? 1 : 0] }, wordsOf(key));
    return;
  }
  const row = focusedRow() ?? chosen();
  if (row) act(targetOf(row), { [field]: values[has(row, state) ? 1 : 0] });
  else press(`[data-key="${key}"]`); // the open one is not in the list
}

/**
 * The submission of a row; the open one in the version that is shown, unless this page itself has made a newer one.
 * @param {HTMLElement} row
 * @returns {import('./acts.js').Target}
 */
function targetOf(row) {
  const id = row.dataset.row ?? '';
  const version = document.querySelector(`[data-submission="${id}"] input[name="version"]`);
  if (!(version instanceof HTMLInputElement) || isChanged(id)) return { ids: [id] };
  return { ids: [id], version: Number(version.value) };
}

function trash() {
  if (!mayAct()) return;
  const row = focusedRow() ?? chosen();
  if (isSelecting()) actOnChosen({ status: 'trash' }, 'Move to the trash');
  else if (row) act(targetOf(row), { status: 'trash' });
}

/**
 * @param {Element | null} row
 * @param {string} state
 */
function has(row, state) {
  return (row?.getAttribute('data-state') ?? '').split(' ').includes(state);
}

/** @param {string} key */
function wordsOf(key) {
  return { resolve: 'Resolve', read: 'Mark as read', archive: 'Archive' }[key] ?? 'Change';
}

/** @param {boolean} range */
function pick(range) {
  const row = focusedRow() ?? chosen() ?? rows()[0];
  if (row) toggle(row.dataset.row ?? '', range);
}

/**
 * Presses a control of the open submission; one that has only the focus is opened first.
 * @param {string} key
 */
function onOpen(key) {
  const row = focusedRow();
  const run = () => {
    const control = document.querySelector(`[data-key="${key}"]`);
    if (control instanceof HTMLTextAreaElement) focusField(control);
    else if (control instanceof HTMLElement) control.click();
  };
  if (!row || row === chosen()) {
    run();
    return;
  }
  const id = row.dataset.row;
  const opened = () => {
    if (chosen()?.dataset.row !== id) return;
    document.removeEventListener('htmx:after:swap', opened);
    run();
  };
  document.addEventListener('htmx:after:swap', opened);
  row.click();
}

/**
 * Opens the menu of status, people or tags: that of the selection, or of the open submission.
 * @param {string} key
 */
function give(key) {
  if (!isSelecting()) {
    onOpen(key);
    return;
  }
  const menu = document.querySelector('[data-bulk-menu]');
  if (!(menu instanceof HTMLDetailsElement)) return;
  menu.open = true;
  menu.querySelector('summary')?.focus();
  if (key === 'status') {
    const first = menu.querySelector('.menu__item');
    if (first instanceof HTMLElement) first.focus();
    return;
  }
  if (unfold(menu, key)) return;
  // Its choices are on their way when it opens for the first time.
  const loaded = () => {
    if (!menu.isConnected || unfold(menu, key)) document.removeEventListener('htmx:after:swap', loaded);
  };
  document.addEventListener('htmx:after:swap', loaded);
}

/**
 * Opens one part of the menu of the selection, with the focus on its first control.
 * @param {HTMLDetailsElement} menu
 * @param {string} key
 * @returns {boolean} whether the part is there
 */
function unfold(menu, key) {
  const fold = menu.querySelector(`[data-bulk-${key}]`)?.closest('details');
  if (!fold) return false;
  fold.open = true;
  const first = fold.querySelector('input, button');
  if (menu.open && first instanceof HTMLElement) first.focus();
  return true;
}

function back() {
  if (isSelecting()) {
    end();
    return;
  }
  const row = chosen();
  if (row?.offsetParent) row.focus();
  else press('[data-back]');
}

/**
 * @param {string} selector
 * @returns {boolean} whether there was something to press
 */
function press(selector) {
  const found = document.querySelector(selector);
  if (found instanceof HTMLElement) found.click();
  return found !== null;
}

/** @param {string} selector */
function onField(selector) {
  const found = document.querySelector(selector);
  if (found instanceof HTMLTextAreaElement || found instanceof HTMLInputElement) focusField(found);
}

/** @param {HTMLTextAreaElement | HTMLInputElement} field */
function focusField(field) {
  field.focus();
  field.setSelectionRange(field.value.length, field.value.length);
}
