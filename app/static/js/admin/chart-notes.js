// Words drawn into a chart: what each line is called, where it ends, and what happened at a marked point.
import { MOST_NAMED, written } from './chart-style.js';

/** @typedef {import('./chart-style.js').Token} Token */
/** @typedef {import('./chart-table.js').Mark} Mark */
/** @typedef {{ token: Token, font: { family: string, size: number } }} Look */
/** @typedef {{ left: number, right: number, top: number, bottom: number }} Area */
/** @typedef {{ x: number, y: number, skip?: boolean }} Point */
/** @typedef {{ label: string, data: (number | null)[], borderColor: string }} Line */
/**
 * @typedef {{ ctx: CanvasRenderingContext2D, chartArea: Area, config: { type: string },
 *   data: { datasets: Line[], labels: string[] }, getActiveElements: () => { index: number }[],
 *   scales: { x: { getPixelForValue: (at: number) => number } },
 *   getDatasetMeta: (index: number) => { data: Point[] } }} Drawing
 */

const GAP_PX = 6;
const HALO_PX = 4;

/**
 * The plugin for one chart; `marks` stand as dashed lines with their words.
 * @param {Mark[]} marks
 */
export function notes(marks) {
  return {
    id: 'notes',
    /** The ground of the point that is looked at. @type {(chart: Drawing, args: unknown, look: Look) => void} */
    beforeDatasetsDraw(chart, _args, { token }) {
      const { ctx, chartArea, config, data, scales } = chart;
      const [active] = chart.getActiveElements();
      if (config.type !== 'bar' || !active) return;
      const width = (chartArea.right - chartArea.left) / Math.max(1, data.labels.length);
      ctx.fillStyle = token('--sunken');
      ctx.fillRect(scales.x.getPixelForValue(active.index) - width / 2, chartArea.top, width, chartArea.bottom - chartArea.top);
    },
    /** @type {(chart: Drawing, args: unknown, look: Look) => void} */
    afterDraw(chart, _args, look) {
      chart.ctx.save();
      chart.ctx.font = `${look.font.size}px ${look.font.family}`;
      chart.ctx.textBaseline = 'middle';
      for (const mark of marks) drawMark(chart, mark, look);
      /** From the last one back, by row: the px up to which nothing is written yet. @type {number[]} */
      const free = [];
      for (const mark of marks.toReversed()) writeMark(chart, mark, look, free);
      if (chart.config.type === 'line' && chart.data.datasets.length <= MOST_NAMED) drawNames(chart, look);
      chart.ctx.restore();
    },
  };
}

/**
 * The room right of the lines that their names need, in px.
 * @param {{ name: string, values: (number | null)[] }[]} series
 * @param {Look['font']} font
 */
export function roomForNames(series, font) {
  const ctx = document.createElement('canvas').getContext('2d');
  if (!ctx || series.length > MOST_NAMED) return 0;
  ctx.font = `${font.size}px ${font.family}`;
  return Math.max(0, ...series.map(({ name, values }) => ctx.measureText(nameOf(name, values)).width + 2 * GAP_PX));
}

/**
 * @param {string} name
 * @param {(number | null)[]} values
 */
function nameOf(name, values) {
  const last = values.findLast((value) => value !== null);
  return last === undefined || last === null ? name : `${name} ${written(last, '')}`;
}

/**
 * @param {Drawing} chart
 * @param {Look} look
 */
function drawNames(chart, { token, font }) {
  const ends = chart.data.datasets.flatMap(({ label, data }, index) => {
    const point = chart.getDatasetMeta(index).data.findLast(({ skip }) => !skip);
    return point ? [{ words: nameOf(label, data), y: point.y }] : [];
  });
  chart.ctx.fillStyle = token('--ink-2');
  chart.ctx.textAlign = 'left';
  for (const { words, y } of apart(ends, font.size + 2, chart.chartArea)) {
    chart.ctx.fillText(words, chart.chartArea.right + GAP_PX, y);
  }
}

/**
 * Moves names that would lie on each other apart: downwards from the highest, and up again from the lower edge.
 * @param {{ words: string, y: number }[]} names
 * @param {number} height px of a name
 * @param {Area} area
 */
function apart(names, height, { bottom }) {
  const sorted = names.toSorted((one, other) => one.y - other.y);
  for (let index = 1; index < sorted.length; index++) {
    sorted[index].y = Math.max(sorted[index].y, sorted[index - 1].y + height);
  }
  let most = bottom;
  for (const name of sorted.toReversed()) {
    name.y = Math.min(name.y, most);
    most = name.y - height;
  }
  return sorted;
}

/**
 * @param {Drawing} chart
 * @param {Mark} mark
 * @param {Look} look
 */
function drawMark({ ctx, chartArea, scales }, { at }, { token }) {
  const x = middle(scales, at);
  ctx.setLineDash([3, 3]);
  ctx.strokeStyle = token('--ink-3');
  ctx.beginPath();
  ctx.moveTo(x, chartArea.top);
  ctx.lineTo(x, chartArea.bottom);
  ctx.stroke();
}

/**
 * Writes a mark's words beside its line, in the first row in which they lie on no others.
 * @param {Drawing} chart
 * @param {Mark} mark
 * @param {Look} look
 * @param {number[]} free
 */
function writeMark({ ctx, chartArea, scales }, { at, words }, { token, font }, free) {
  const width = ctx.measureText(words).width;
  const start = besides(middle(scales, at), width, chartArea);
  const fits = free.findIndex((end) => start + width <= end);
  const row = fits < 0 ? free.length : fits;
  free[row] = start - 2 * GAP_PX;
  writeOver(ctx, words, start, chartArea.top + font.size + row * (font.size + HALO_PX), token);
}

/**
 * The middle of a point, on the middle of a pixel: a hairline there is one pixel wide.
 * @param {Drawing['scales']} scales
 * @param {number} at
 */
function middle(scales, at) {
  return Math.floor(scales.x.getPixelForValue(at)) + 0.5;
}

/**
 * Words on a halo of the ground, so that no line crosses them.
 * @param {CanvasRenderingContext2D} ctx
 * @param {string} words
 * @param {number} x
 * @param {number} y
 * @param {Token} token
 */
function writeOver(ctx, words, x, y, token) {
  ctx.setLineDash([]);
  ctx.lineWidth = HALO_PX;
  ctx.lineJoin = 'round';
  ctx.textAlign = 'left';
  ctx.strokeStyle = token('--surface');
  ctx.strokeText(words, x, y);
  ctx.lineWidth = 1;
  ctx.fillStyle = token('--ink-2');
  ctx.fillText(words, x, y);
}

/**
 * Where words begin beside a line: before it if they fit there, else after it, but within the chart.
 * @param {number} x
 * @param {number} width
 * @param {Area} area
 */
function besides(x, width, { left, right }) {
  const before = x - GAP_PX - width;
  return before >= left ? before : Math.max(left, Math.min(x + GAP_PX, right - width));
}
