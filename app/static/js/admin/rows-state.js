// The rows of the list as they look before the server has answered; every change can be taken back.

/** @typedef {Record<string, unknown>} Values */
/** @typedef {{ids: string[], values: Values, before: Map<Element, Element>}} Foretold `before`: rows as they were */

/** What acts that the server has not answered will have made, in their order. @type {Foretold[]} */
const waiting = [];

/**
 * Shows on these rows what an act will have made of them, and again when they are drawn anew meanwhile.
 * @param {string[]} ids
 * @param {Values} values
 * @returns {{settle: () => void, takeBack: () => void}} for the answer: it is made, or it is not
 */
export function foretell(ids, values) {
  const told = { ids, values, before: new Map() };
  waiting.push(told);
  for (const row of rowsOf(ids)) {
    told.before.set(row, row.cloneNode(true));
    change(row, values);
  }
  const settle = () => void waiting.splice(waiting.indexOf(told), 1);
  const takeBack = () => {
    settle();
    putBack(told);
  };
  return { settle, takeBack };
}

/**
 * Whether an act on a row is on its way.
 * @param {string} id
 */
export function isWaiting(id) {
  return waiting.some(({ ids }) => ids.includes(id));
}

/** @param {Foretold} told */
function putBack(told) {
  for (const [row, copy] of told.before) {
    const held = row.contains(document.activeElement);
    row.className = copy.className;
    row.replaceChildren(...copy.childNodes);
    /** @type {any} */ (window).htmx?.process(row);
    const link = row.querySelector('[data-row]');
    if (held && link instanceof HTMLElement) link.focus();
  }
  showWaiting();
}

function showWaiting() {
  for (const { ids, values } of waiting) for (const row of rowsOf(ids)) change(row, values);
}

document.addEventListener('htmx:after:swap', showWaiting);

/**
 * @param {string[]} ids
 * @returns {HTMLElement[]} those on the page
 */
function rowsOf(ids) {
  return ids.flatMap((id) => document.getElementById(`row-${id}`) ?? []);
}

/**
 * @param {HTMLElement} row
 * @param {Values} values
 */
function change(row, values) {
  const link = row.querySelector('[data-row]');
  if (!(link instanceof HTMLElement)) return;
  const words = new Set((link.dataset.state ?? '').split(' ').filter(Boolean));
  /** @type {(word: string, holds: boolean) => void} */
  const set = (word, holds) => void (holds ? words.add(word) : words.delete(word));
  if ('is_read' in values) {
    set('read', Boolean(values.is_read));
    row.classList.toggle('row--unread', !values.is_read);
  }
  if ('is_archived' in values) {
    set('archived', Boolean(values.is_archived));
    if (values.is_archived) settle(row, 'Archived');
  }
  if (values.snoozed_until) settle(row, 'Snoozed');
  if (typeof values.status === 'string') {
    set('settled', !['open', 'in_progress'].includes(values.status));
    if (!document.querySelector(`[data-box="${values.status}"][aria-current]`)) settle(row, labelOf(values.status));
    else unsettle(row);
  }
  link.dataset.state = [...words].join(' ');
}

/**
 * @param {HTMLElement} row
 * @param {string} label
 */
function settle(row, label) {
  row.classList.add('row--settled');
  const age = row.querySelector('.row__age');
  if (!age) return;
  age.setAttribute('data-was', age.getAttribute('data-was') ?? age.textContent ?? '');
  age.textContent = label;
}

/**
 * Takes back what an earlier act of this page had foretold.
 * @param {HTMLElement} row
 */
function unsettle(row) {
  const age = row.querySelector('.row__age[data-was]');
  if (!age) return;
  row.classList.remove('row--settled');
  age.textContent = age.getAttribute('data-was');
  age.removeAttribute('data-was');
}

/** @param {string} status */
function labelOf(status) {
  return document.querySelector(`[data-box="${status}"] [data-box-label]`)?.textContent ?? status;
}
