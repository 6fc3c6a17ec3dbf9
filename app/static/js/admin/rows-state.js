// The rows of the list as they look before the server has answered; every change can be taken back.

/** @typedef {Record<string, unknown>} Values */

/**
 * Shows on these rows what an act will have made of them.
 * @param {string[]} ids
 * @param {Values} values
 * @returns {() => void} puts the rows back as they were
 */
export function foretell(ids, values) {
  const before = ids.flatMap((id) => {
    const row = document.getElementById(`row-${id}`);
    if (!row) return [];
    const copy = /** @type {HTMLElement} */ (row.cloneNode(true));
    change(row, values);
    return [{ row, copy }];
  });
  return () => {
    for (const { row, copy } of before) {
      row.className = copy.className;
      row.replaceChildren(...copy.childNodes);
      /** @type {any} */ (window).htmx?.process(row);
    }
  };
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
  if (typeof values.status === 'string') {
    set('settled', !['open', 'in_progress'].includes(values.status));
    if (!document.querySelector(`[data-box="${values.status}"][aria-current]`)) settle(row, labelOf(values.status));
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
  if (age) age.textContent = label;
}

/** @param {string} status */
function labelOf(status) {
  return document.querySelector(`[data-box="${status}"] [data-box-label]`)?.textContent ?? status;
}
