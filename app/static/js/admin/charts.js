// figure[data-chart]: draws the table beside it when it comes into view; the table stays what counts.
import { debounce } from '../shared/debounce.js';
import { whenVisible } from '../shared/lazy.js';
import { keepTrying, stopTrying } from './again.js';
import { notes, roomForNames } from './chart-notes.js';
import { datasets, options, tokens, wanted } from './chart-style.js';
import { read } from './chart-table.js';
import { walk } from './chart-walk.js';
import { onEach } from './dom.js';

/** @typedef {import('./chart-table.js').Figures} Figures */
/**
 * @typedef {import('./chart-walk.js').Walked & { data: { datasets: object[] }, options: object, destroy: () => void }} Chart
 */
/** @typedef {new (canvas: HTMLCanvasElement, config: object) => Chart} Library */
/** @typedef {'waiting' | 'drawn' | 'empty' | 'failed'} State */

const LIBRARY = '../../vendor/chart.js-4.6.1/chart.umd.min.js';
// The theme's button and the system's wish may change in one go.
const THEME_MS = 30;

/** @type {Map<HTMLElement, { chart: Chart, figures: Figures }>} */
const drawn = new Map();
/** @type {Promise<Library> | undefined} */
let library;

onEach('figure[data-chart]:not([data-chart-state])', (/** @type {HTMLElement} */ figure) => {
  say(figure, 'waiting');
  whenVisible(figure, () => show(figure));
});

document.addEventListener('htmx:after:swap', forgetGone);
const restyle = debounce(restyleAll, THEME_MS);
new MutationObserver(restyle).observe(document.documentElement, { attributeFilter: ['data-theme'] });
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', restyle);

/** @param {HTMLElement} figure */
async function show(figure) {
  const table = figure.querySelector('table');
  const figures = table && read(table);
  if (!figures?.series.some(({ values }) => values.some((value) => value !== null))) return say(figure, 'empty');
  try {
    const Chart = await loaded();
    if (!figure.isConnected) return;
    const canvas = canvasOf(figure);
    const chart = new Chart(canvas, config(figure, figures));
    drawn.set(figure, { chart, figures });
    if (figure.dataset.chartWalk !== undefined) walk(canvas, chart, figures);
    say(figure, 'drawn');
  } catch (error) {
    fail(figure);
    if (!library) keepTrying('charts', showFailed);
    reportError(error);
  }
}

function showFailed() {
  for (const figure of document.querySelectorAll('figure[data-chart-state="failed"]')) {
    say(/** @type {HTMLElement} */ (figure), 'waiting'); // so that it is tried once
    show(/** @type {HTMLElement} */ (figure));
  }
}

/** @returns {Promise<Library>} Chart.js, fetched with the first chart; one that did not come is tried again */
function loaded() {
  library ??= import(new URL(LIBRARY, import.meta.url).href).then(taken, (error) => {
    library = undefined;
    throw error;
  });
  return library;
}

/** The released file hands itself over as a global; it stays ours. */
function taken() {
  const globals = /** @type {{ Chart?: Library }} */ (/** @type {unknown} */ (window));
  const Chart = globals.Chart;
  delete globals.Chart;
  if (!Chart) throw new Error('Chart.js is not there');
  stopTrying('charts');
  showFailed(); // it may have come for one that came into view meanwhile
  return Chart;
}

/**
 * @param {HTMLElement} figure
 * @param {Figures} figures
 */
function config(figure, figures) {
  const wish = wanted(figure);
  const token = tokens();
  const look = options(figures, wish, token);
  const room = wish.kind === 'line' ? roomForNames(figures.series, look.plugins.notes.font) : 0;
  return {
    type: wish.kind,
    data: { labels: figures.labels, datasets: datasets(figures, wish, token) },
    options: { ...look, layout: { padding: { right: room } } },
    plugins: [notes(figures.marks)],
  };
}

/** @param {HTMLElement} figure */
function canvasOf(figure) {
  const canvas = document.createElement('canvas');
  const caption = figure.querySelector('figcaption')?.textContent?.trim().replace(/\s+/g, ' ');
  canvas.setAttribute('role', 'img');
  canvas.setAttribute('aria-label', `Chart: ${caption ?? ''}. The table has the same figures.`);
  figure.querySelector('.chart__canvas')?.replaceChildren(canvas);
  return canvas;
}

/**
 * Without its drawing a chart is its table, opened.
 * @param {HTMLElement} figure
 */
function fail(figure) {
  say(figure, 'failed');
  figure.querySelector('.chart__canvas')?.replaceChildren();
  const table = figure.querySelector('details');
  if (table) table.open = true;
}

function restyleAll() {
  for (const [figure, { chart, figures }] of drawn) {
    const next = config(figure, figures);
    chart.options = next.options;
    chart.data.datasets = next.data.datasets;
    chart.update('none');
  }
}

function forgetGone() {
  for (const [figure, { chart }] of drawn) {
    if (figure.isConnected) continue;
    chart.destroy();
    drawn.delete(figure);
  }
}

/**
 * @param {HTMLElement} figure
 * @param {State} state for the style sheet, and for tests
 */
function say(figure, state) {
  figure.dataset.chartState = state;
}
