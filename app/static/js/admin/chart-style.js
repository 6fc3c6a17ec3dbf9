// How charts look: every colour and size from the tokens of the page, as they are in its theme.

/** @typedef {import('./chart-table.js').Figures} Figures */
/** @typedef {{ kind: string, unit: string, colours: string[], stacked: boolean, named: boolean }} Wanted */
/** @typedef {(name: string) => string} Token */

// The order of tokens --chart-N for series that have no colour of their own.
const ORDER = ['2', '6', '3', '4', '7', '1', '8', '5'];
// More lines than this have no room for their names at their ends.
export const MOST_NAMED = 4;
const compact = new Intl.NumberFormat(undefined, { maximumSignificantDigits: 3, notation: 'compact' });
const whole = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat(undefined, { maximumSignificantDigits: 3 });

/** @returns {Token} */
export function tokens() {
  const style = getComputedStyle(document.documentElement);
  return (name) => style.getPropertyValue(name).trim();
}

/**
 * @param {HTMLElement} figure `data-chart="line|bar"`, and if wanted `data-chart-unit="ms"`,
 *   `data-chart-colors="1 2"` (numbers of --chart-N), `data-chart-stacked`, `data-chart-legend="none"`
 * @returns {Wanted}
 */
export function wanted(figure) {
  const { chart, chartUnit, chartColors, chartStacked, chartLegend } = figure.dataset;
  return {
    kind: chart === 'bar' ? 'bar' : 'line',
    unit: chartUnit ?? '',
    colours: chartColors ? chartColors.split(' ') : ORDER,
    stacked: chartStacked !== undefined,
    named: chartLegend !== 'none',
  };
}

/**
 * @param {Figures} figures
 * @param {Wanted} wish
 * @param {Token} token
 */
export function datasets({ series }, wish, token) {
  return series.map(({ name, values }, index) => {
    const colour = token(`--chart-${wish.colours[index % wish.colours.length]}`);
    const shape = wish.kind === 'line' ? line(values, colour) : bar(wish, token);
    return { ...shape, label: name, data: values, backgroundColor: colour };
  });
}

/**
 * @param {(number | null)[]} values a single one is a dot
 * @param {string} colour
 */
function line(values, colour) {
  const alone = values.filter((value) => value !== null).length === 1;
  return { borderColor: colour, borderWidth: 1.5, pointRadius: alone ? 3 : 0, pointHoverRadius: 3 };
}

/**
 * Stacked ones are parted by the ground they stand on.
 * @param {Wanted} wish
 * @param {Token} token
 */
function bar({ stacked }, token) {
  const edge = { borderColor: token('--surface'), borderWidth: stacked ? { top: 1 } : 0 };
  // Where kinds stand on each other, the bar takes about two thirds of its place.
  return { ...edge, borderRadius: stacked ? 0 : 2, categoryPercentage: stacked ? 0.72 : 0.92, barPercentage: 0.92 };
}

/**
 * @param {Figures} figures
 * @param {Wanted} wish
 * @param {Token} token
 */
export function options(figures, wish, token) {
  const font = { family: token('--font-ui'), size: Number.parseFloat(token('--text-small')) };
  return {
    animation: false,
    responsive: true,
    maintainAspectRatio: false,
    resizeDelay: 50,
    interaction: { mode: 'index', intersect: false },
    scales: scales(figures, wish, token, font),
    plugins: {
      legend: legend(figures, wish, token, font),
      tooltip: tooltip(figures, wish, token, font),
      notes: { token, font },
    },
  };
}

/**
 * Hairlines across, none upright; few words below and beside. Where some points have no label the page chose them.
 * @param {Figures} figures
 * @param {Wanted} wish
 * @param {Token} token
 * @param {object} font
 */
function scales({ labels }, { stacked }, token, font) {
  const each = { stacked, border: { display: false } };
  const ticks = { color: token('--ink-3'), font };
  const autoSkip = labels.every(Boolean);
  const few = { maxTicksLimit: 5, padding: 8, callback: (/** @type {number} */ at) => compact.format(at) };
  return {
    x: { ...each, grid: { display: false }, ticks: { ...ticks, maxRotation: 0, autoSkip, autoSkipPadding: 24 } },
    y: {
      ...each,
      grid: { color: token('--line'), drawTicks: false },
      beginAtZero: true,
      ticks: { ...ticks, ...few },
    },
  };
}

/**
 * Few lines are named where they end; bars of several series, and many lines, by a legend.
 * @param {Figures} figures
 * @param {Wanted} wish
 * @param {Token} token
 * @param {object} font
 */
function legend({ series }, { kind, named }, token, font) {
  const box = { boxWidth: 9, boxHeight: 9, useBorderRadius: true, borderRadius: 2 };
  const display = named && series.length > (kind === 'bar' ? 1 : MOST_NAMED);
  return { display, position: 'top', align: 'start', labels: { ...box, color: token('--ink-2'), font } };
}

/**
 * Stacked series are summed up below.
 * @param {Figures} figures
 * @param {Wanted} wish
 * @param {Token} token
 * @param {object} font
 */
function tooltip({ titles }, { unit, stacked }, token, font) {
  return {
    backgroundColor: token('--surface'),
    borderColor: token('--line-control'),
    borderWidth: 1,
    cornerRadius: 6,
    padding: 10,
    boxWidth: 9,
    boxHeight: 9,
    boxPadding: 4,
    titleColor: token('--ink'),
    bodyColor: token('--ink'),
    titleFont: font,
    bodyFont: font,
    footerColor: token('--ink'),
    footerFont: font,
    callbacks: {
      title: (/** @type {{ dataIndex: number }[]} */ [first]) => (first ? titles[first.dataIndex] : ''),
      footer: (/** @type {{ raw: number | null }[]} */ items) =>
        stacked ? `All  ${written(sum(items.map(({ raw }) => raw)), unit)}` : '',
      label: (/** @type {{ dataset: { label: string }, raw: number | null }} */ { dataset, raw }) =>
        ` ${dataset.label} ${raw === null ? '–' : written(raw, unit)}`,
    },
  };
}

/** @param {(number | null)[]} values */
function sum(values) {
  return values.reduce((/** @type {number} */ total, value) => total + (value ?? 0), 0);
}

/**
 * A figure in three digits, or in all it has before its point.
 * @param {number} value
 * @param {string} unit
 */
export function written(value, unit) {
  const digits = Math.abs(value) < 100 ? short.format(value) : whole.format(value);
  return unit ? `${digits} ${unit}` : digits;
}
