// Reads a chart's figures from the table beside it: the first column names the points, each other one is a series.

/** @typedef {{ name: string, values: (number | null)[] }} Series */
/** @typedef {{ at: number, words: string }} Mark a moment worth a line: where, and what happened */
/** @typedef {{ labels: string[], titles: string[], links: (string | null)[], series: Series[], marks: Mark[] }} Figures */

const DAY_MS = 86_400_000;
const hour = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const day = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });

/**
 * A cell's value is its `data-value`, else its text; one without a number is a gap. `tr[data-mark="words"]` marks
 * its point. A row's first cell is its title; its `data-label` is what the axis says, its link where the point leads.
 * @param {HTMLTableElement} table
 * @returns {Figures}
 */
export function read(table) {
  const rows = [...table.tBodies].flatMap((body) => [...body.rows]);
  const names = [...(table.tHead?.rows[0]?.cells ?? [])].slice(1).map(text);
  return {
    labels: labels(rows),
    titles: rows.map((row) => text(row.cells[0])),
    links: rows.map((row) => row.cells[0]?.querySelector('a')?.getAttribute('href') ?? null),
    series: names.map((name, index) => ({ name, values: rows.map((row) => value(row.cells[index + 1])) })),
    marks: rows.flatMap((row, at) => (row.dataset.mark ? [{ at, words: row.dataset.mark }] : [])),
  };
}

/**
 * Moments are written in the reader's time: hours within two days, else dates.
 * @param {HTMLTableRowElement[]} rows
 */
function labels(rows) {
  const moments = rows.map((row) => moment(row.cells[0]));
  if (!moments.length || moments.some(Number.isNaN)) return rows.map((row) => row.cells[0]?.dataset.label ?? text(row.cells[0]));
  const short = Math.max(...moments) - Math.min(...moments) <= 2 * DAY_MS;
  return moments.map((at) => (short ? hour : day).format(at));
}

/** @param {HTMLTableCellElement | undefined} cell */
function moment(cell) {
  return Date.parse(cell?.querySelector('time')?.dateTime ?? '');
}

/** @param {HTMLTableCellElement | undefined} cell */
function text(cell) {
  return cell?.textContent?.trim() ?? '';
}

/** @param {HTMLTableCellElement | undefined} cell */
function value(cell) {
  const written = cell?.dataset.value ?? text(cell).replace(/[,\s\u202f]/g, '');
  const number = Number.parseFloat(written);
  return Number.isNaN(number) ? null : number;
}
