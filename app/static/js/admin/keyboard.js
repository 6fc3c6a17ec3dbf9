// Runs the table of keys and prints it in the help sheet, [data-keys].
import { on } from './dom.js';
import { SHORTCUTS } from './shortcuts.js';

/** How long a first key waits for its second. */
const PAIR_MS = 1500;
/** What has its own keys while it is open. */
const OVERLAYS = 'dialog[open], details[data-menu][open], :popover-open';
const NAMES = { Escape: 'Esc' };
let first = '';
let pressedAt = 0;

document.addEventListener('keydown', (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (document.querySelector(OVERLAYS)) return;
  if (isTyping(event.target)) {
    if (event.key === 'Escape') /** @type {HTMLElement} */ (event.target).blur();
    return;
  }
  const pair = event.timeStamp - pressedAt < PAIR_MS ? first : '';
  const found =
    SHORTCUTS.find(({ keys }) => keys.length === 2 && keys[0] === pair && keys[1] === event.key) ??
    SHORTCUTS.find(({ keys }) => keys.length === 1 && keys[0] === event.key);
  first = found ? '' : event.key;
  pressedAt = event.timeStamp;
  if (!found || event.key === 'Enter') return;
  event.preventDefault();
  found.run();
});

on('click', '[data-keys-open]', () => {
  const sheet = document.querySelector('[data-keys]');
  const list = sheet?.querySelector('[data-keys-list]');
  if (!(sheet instanceof HTMLDialogElement) || !list) return;
  if (!list.childElementCount) list.append(...[...new Set(SHORTCUTS.map(({ group }) => group))].map(part));
  sheet.showModal();
});

/**
 * Whether a field takes the key. One in a dialog that just closed keeps the focus until the next frame, and takes none.
 * @param {EventTarget | null} target
 */
function isTyping(target) {
  const fields = 'input:not([type="checkbox"], [type="radio"]), textarea, select, [contenteditable]';
  return target instanceof HTMLElement && target.matches(fields) && target.checkVisibility();
}

/** @param {string} name of a group of keys */
function part(name) {
  const section = document.createElement('section');
  const heading = document.createElement('h3');
  heading.className = 'sheet__group';
  heading.textContent = name;
  const list = document.createElement('dl');
  list.className = 'sheet__list';
  list.append(...SHORTCUTS.filter(({ group }) => group === name).flatMap(line));
  section.append(heading, list);
  return section;
}

/** @param {import('./shortcuts.js').Shortcut} shortcut */
function line({ keys, words }) {
  const term = document.createElement('dt');
  for (const key of keys) {
    const box = document.createElement('kbd');
    box.className = 'key';
    box.textContent = /** @type {Record<string, string>} */ (NAMES)[key] ?? key;
    term.append(box);
  }
  const meaning = document.createElement('dd');
  meaning.textContent = words;
  return [term, meaning];
}
