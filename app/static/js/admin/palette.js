// [data-palette]: everything that can be done or gone to from here, by name: Ctrl-K or ⌘K.
import { loadMacros } from './macros.js';
import { SHORTCUTS } from './shortcuts.js';

/** @typedef {{words: string, kind: string, keys: string[], run: () => void}} Command */

const MOST_SHOWN = 50;
/** Links and controls of the page that are commands as well. */
const PLACES = [
  { selector: '#places [data-box]', kind: 'Box' },
  { selector: '#places [data-view]', kind: 'View' },
  { selector: '#places [data-project]', kind: 'Project' },
  { selector: '#places a:not([data-box], [data-view], [data-project])', kind: 'Page' },
  { selector: '#quick a', kind: 'Filter' },
  { selector: '[data-macro]', kind: 'Macro' },
  { selector: '[data-theme-next]', kind: 'Look' },
];
/** @type {Command[]} */
let commands = [];
/** @type {Command[]} */
let shown = [];
let at = 0;

const dialog = () => /** @type {HTMLDialogElement | null} */ (document.querySelector('[data-palette]'));
const input = () => /** @type {HTMLInputElement} */ (document.querySelector('[data-palette-input]'));

export function openPalette() {
  const box = dialog();
  if (!box || box.open) return;
  loadMacros();
  commands = [...actions(), ...PLACES.flatMap(links)];
  input().value = '';
  box.showModal();
  input().focus();
  find();
}

/** @returns {Command[]} */
function actions() {
  return SHORTCUTS.filter(({ isHidden }) => !isHidden).map(({ words, keys, run }) => ({ words, kind: '', keys, run }));
}

/**
 * @param {{selector: string, kind: string}} place
 * @returns {Command[]}
 */
function links({ selector, kind }) {
  return [...document.querySelectorAll(selector)].flatMap((link) => {
    const words = (link.querySelector('.rail__word, [data-box-label]') ?? link).textContent?.trim() ?? '';
    return link instanceof HTMLElement && words ? [{ words, kind, keys: [], run: () => link.click() }] : [];
  });
}

function find() {
  const asked = input().value.trim().toLowerCase().split(/\s+/).filter(Boolean);
  shown = commands.filter(({ words, kind }) => {
    const text = `${kind} ${words}`.toLowerCase();
    return asked.every((word) => text.includes(word));
  });
  shown = shown.slice(0, MOST_SHOWN);
  at = 0;
  draw();
}

function draw() {
  const list = document.querySelector('[data-palette-list]');
  const none = document.querySelector('[data-palette-none]');
  list?.replaceChildren(...shown.map(line));
  if (none instanceof HTMLElement) none.hidden = shown.length > 0;
  mark();
}

/**
 * @param {Command} command
 * @param {number} index
 */
function line({ words, kind, keys }, index) {
  const item = document.createElement('li');
  item.id = `command-${index}`;
  item.className = 'palette__item';
  item.setAttribute('role', 'option');
  const name = document.createElement('span');
  name.className = 'palette__words';
  name.dir = 'auto';
  name.textContent = words;
  item.append(name);
  if (kind) item.append(small(kind, 'span', 'quiet'));
  for (const key of keys) item.append(small(key, 'kbd', 'key'));
  item.addEventListener('click', () => choose(index));
  return item;
}

/**
 * @param {string} words
 * @param {string} tag
 * @param {string} name
 */
function small(words, tag, name) {
  const part = document.createElement(tag);
  part.className = name;
  part.textContent = words;
  return part;
}

function mark() {
  const items = document.querySelectorAll('[data-palette-list] [role="option"]');
  for (const [index, item] of items.entries()) item.setAttribute('aria-selected', String(index === at));
  items[at]?.scrollIntoView({ block: 'nearest' });
  if (items.length) input().setAttribute('aria-activedescendant', `command-${at}`);
  else input().removeAttribute('aria-activedescendant');
}

/** @param {number} index */
function choose(index) {
  const command = shown[index];
  if (!command) return;
  dialog()?.close();
  command.run();
}

// Macros that were still on their way when the palette opened.
document.addEventListener('htmx:after:swap', () => {
  if (!dialog()?.open) return;
  loadMacros();
  commands = [...actions(), ...PLACES.flatMap(links)];
  find();
});

document.addEventListener('input', (event) => {
  if (event.target instanceof Element && event.target.matches('[data-palette-input]')) find();
});

document.addEventListener('keydown', (event) => {
  if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === 'k') {
    event.preventDefault();
    openPalette();
    return;
  }
  if (!dialog()?.open) return;
  if (event.key === 'Enter') choose(at);
  else if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
    at = (at + (event.key === 'ArrowDown' ? 1 : -1) + shown.length) % Math.max(1, shown.length);
    mark();
  } else return;
  event.preventDefault();
});
