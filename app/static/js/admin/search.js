// [data-search]: completes names and values of filters as one types (the combobox pattern of the ARIA guide).
// Names of tags and people are asked for at [data-names].
import { on } from './dom.js';

/** @typedef {{name: string, finds: string, values: string[], asked?: boolean}} Kind */
/** @typedef {{text: string, hint: string}} Option */

const MOST = 8;
/** The word before the caret, with a minus before it or a parenthesis. */
const LAST = /[-(]*([^\s()"]*)$/;
/** As long as most people need from one letter to the next. */
const PAUSE_MS = 120;
let active = -1;
let asking = new AbortController();

on('input', '[data-search]', (/** @type {HTMLInputElement} */ field) => show(field));
on('focusout', '[data-search]', (/** @type {HTMLInputElement} */ field) => close(field));
on('keydown', '[data-search]', (/** @type {HTMLInputElement} */ field, event) => {
  const { key } = /** @type {KeyboardEvent} */ (event);
  const options = [...(listOf(field)?.children ?? [])];
  if (!options.length) return;
  if (key === 'ArrowDown' || key === 'ArrowUp') {
    const step = key === 'ArrowDown' ? 1 : -1;
    activate(field, (active + step + options.length) % options.length);
  } else if ((key === 'Enter' || key === 'Tab') && active >= 0) {
    choose(field, options[active]);
  } else if (key === 'Escape') {
    close(field);
  } else {
    return;
  }
  event.preventDefault();
});
// Before the field loses the focus to what is pressed.
on('mousedown', '.search__option', (option, event) => {
  const field = document.querySelector('[data-search]');
  if (field instanceof HTMLInputElement) choose(field, option);
  event.preventDefault();
});

/** @param {HTMLInputElement} field */
function listOf(field) {
  return document.getElementById(field.getAttribute('aria-controls') ?? '');
}

/**
 * What could stand in the place of a word.
 * @param {string} word
 * @param {Kind[]} kinds
 * @returns {Option[]}
 */
export function completions(word, kinds) {
  const [name, value] = word.toLowerCase().split(/:(.*)/s);
  if (!name) return [];
  if (value === undefined) {
    const found = kinds.filter((kind) => kind.name.startsWith(name));
    return found.map((kind) => ({ text: `${kind.name}:`, hint: kind.finds }));
  }
  const values = kinds.find((kind) => kind.name === name)?.values ?? [];
  const found = values.filter((text) => text.toLowerCase().startsWith(value) && text.toLowerCase() !== value);
  return found.map((text) => whole(name, text));
}

/** @param {HTMLInputElement} field */
function wordOf(field) {
  const before = field.value.slice(0, field.selectionStart ?? field.value.length);
  return LAST.exec(before)?.[1] ?? '';
}

/** @param {HTMLInputElement} field */
function show(field) {
  const word = wordOf(field);
  /** @type {Kind[]} */
  const kinds = JSON.parse(field.dataset.search || '[]');
  offer(field, completions(word, kinds));
  asking.abort();
  const [name, begins] = word.toLowerCase().split(/:(.*)/s);
  const kind = kinds.find((one) => one.asked && one.name === name);
  if (kind && begins !== undefined) ask(field, word, kind, begins);
}

/**
 * Asks for the names that begin so, and offers them unless one has typed on.
 * @param {HTMLInputElement} field
 * @param {string} word
 * @param {Kind} kind
 * @param {string} begins
 */
async function ask(field, word, kind, begins) {
  asking = new AbortController();
  const { signal } = asking;
  await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  if (signal.aborted) return;
  try {
    const asked = new URLSearchParams({ of: kind.name, begins });
    const response = await fetch(`${field.dataset.names}?${asked}`, { signal });
    if (!response.ok) return;
    const names = await response.json();
    if (signal.aborted || document.activeElement !== field) return;
    offer(field, [...completions(word, [kind]), ...names.map((/** @type {string} */ text) => whole(kind.name, text))]);
  } catch {
    // Completion helps; what is typed finds without it.
  }
}

/**
 * @param {string} name
 * @param {string} value
 * @returns {Option}
 */
function whole(name, value) {
  return { text: `${name}:${/[\s()"]/.test(value) ? JSON.stringify(value) : value}`, hint: '' };
}

/**
 * @param {HTMLInputElement} field
 * @param {Option[]} options
 */
function offer(field, options) {
  const list = listOf(field);
  if (!list) return;
  list.replaceChildren(...options.slice(0, MOST).map(line));
  list.hidden = options.length === 0;
  field.setAttribute('aria-expanded', String(!list.hidden));
  activate(field, -1);
}

/**
 * @param {Option} option
 * @param {number} at
 */
function line({ text, hint }, at) {
  const item = document.createElement('li');
  item.id = `search-option-${at}`;
  item.className = 'search__option';
  item.role = 'option';
  item.dataset.text = text;
  const words = document.createElement('span');
  words.textContent = text;
  const said = document.createElement('span');
  said.className = 'search__hint';
  said.textContent = hint;
  item.append(words, said);
  return item;
}

/**
 * @param {HTMLInputElement} field
 * @param {number} at the option that Enter takes; -1 for none
 */
function activate(field, at) {
  active = at;
  for (const [number, option] of [...(listOf(field)?.children ?? [])].entries()) {
    option.setAttribute('aria-selected', String(number === at));
    if (number === at) option.scrollIntoView({ block: 'nearest' });
  }
  if (at >= 0) field.setAttribute('aria-activedescendant', `search-option-${at}`);
  else field.removeAttribute('aria-activedescendant');
}

/**
 * @param {HTMLInputElement} field
 * @param {Element} option
 */
function choose(field, option) {
  const text = option.getAttribute('data-text') ?? '';
  const caret = field.selectionStart ?? field.value.length;
  const start = caret - wordOf(field).length;
  // A value is whole, a name waits for its value.
  const put = text.endsWith(':') ? text : `${text} `;
  field.setRangeText(put, start, caret, 'end');
  if (text.endsWith(':')) show(field);
  else close(field);
}

/** @param {HTMLInputElement} field */
function close(field) {
  asking.abort();
  const list = listOf(field);
  if (list) {
    list.replaceChildren();
    list.hidden = true;
  }
  field.setAttribute('aria-expanded', 'false');
  activate(field, -1);
}
