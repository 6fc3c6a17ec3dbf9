// figure[data-chart-walk]: left and right walk a chart's points, Enter or a press follows the one that is looked at.
import { announce } from './dom.js';

/** @typedef {import('./chart-table.js').Figures} Figures */
/** @typedef {{ datasetIndex: number, index: number }} Element */
/**
 * @typedef {{ update: (mode: 'none') => void, setActiveElements: (elements: Element[]) => void,
 *   getActiveElements: () => Element[], tooltip: { setActiveElements: (elements: Element[], at: object) => void },
 *   getDatasetMeta: (index: number) => { data: { x: number, y: number }[] } }} Walked
 */

/** Where a key leads from a point, of so many. @type {Record<string, (at: number, last: number) => number>} */
const STEPS = {
  ArrowLeft: (at, last) => (at < 0 ? last : Math.max(0, at - 1)),
  ArrowRight: (at, last) => (at < 0 ? last : Math.min(last, at + 1)),
  Home: () => 0,
  End: (_at, last) => last,
  Escape: () => -1,
};

/**
 * @param {HTMLCanvasElement} canvas
 * @param {Walked} chart
 * @param {Figures} figures
 */
export function walk(canvas, chart, figures) {
  const now = () => chart.getActiveElements()[0]?.index ?? -1;
  canvas.tabIndex = 0;
  canvas.setAttribute('aria-label', `${canvas.getAttribute('aria-label')} Left and right walk it, Enter opens the list.`);
  canvas.addEventListener('keydown', (event) => {
    const step = STEPS[event.key];
    if (event.key === 'Enter') follow(figures, now());
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    look(chart, figures, step(now(), figures.labels.length - 1));
  });
  canvas.addEventListener('blur', () => look(chart, figures, -1));
  canvas.addEventListener('click', () => follow(figures, now()));
}

/**
 * @param {Walked} chart
 * @param {Figures} figures
 * @param {number} index
 */
function look(chart, figures, index) {
  const elements = index < 0 ? [] : figures.series.map((_, datasetIndex) => ({ datasetIndex, index }));
  const at = elements.length ? chart.getDatasetMeta(elements.length - 1).data[index] : { x: 0, y: 0 };
  chart.setActiveElements(elements);
  chart.tooltip.setActiveElements(elements, { x: at.x, y: at.y });
  chart.update('none');
  if (index >= 0) announce(said(figures, index));
}

/**
 * @param {Figures} figures
 * @param {number} index
 */
function said({ titles, series }, index) {
  const parts = series.filter(({ values }) => values[index]).map(({ name, values }) => `${name} ${values[index]}`);
  return `${titles[index]}: ${parts.join(', ') || 'none'}`;
}

/**
 * @param {Figures} figures
 * @param {number} index
 */
function follow({ links }, index) {
  const link = links[index];
  if (link) location.assign(link);
}
