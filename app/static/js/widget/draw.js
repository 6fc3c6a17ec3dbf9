/**
 * Shapes: where they are, how they look, and what of them and of the picture leaves the browser.
 * In CSS px of the picture; who draws scales the context.
 */
/** @import {Bounds, BoxShape, Clipped, Copy, Corners, Distance, DrawGrip, DrawShape, Encode, Finish, Handles, InLayers, Into, Move, Outgoing, Outline, Point, Pull, Reshape, Touches, WholePixels, WithHead} from './annotate-types' */

/** `--redaction`, `--drawn-halo` and dark `--mark` of tokens.css. */
const REDACTION = '#141a26';
const HALO = '#fff';
const HANDLE = '#e8a93a';
const TEXT_SIZE = 18;
export const TEXT_LINE = 24;
const FONT = `600 ${TEXT_SIZE}px system-ui, sans-serif`;
/** How solid filled shapes are; a crop dims what it leaves out. @type {Record<string, number>} */
const FILLED = { redaction: 1, highlight: 0.4, crop: 0.55 };
/** What is no mark: redactions lie under all marks, so that none hides there; the crop over all. @type {Record<string, number>} */
const LAYERS = { redaction: -1, crop: 1 };
/** Px; beyond the edge of any picture. */
const FAR = 1e5;

/** The server takes 10 MiB, the words and the form around the picture included. */
const MAX_BYTES = 9 * 2 ** 20;
/** A window of 1440 x 900 still goes as PNG, which is exact. */
const PNG_PIXELS = 1_500_000;
/** Above it WebP takes many seconds (measured: 16 s for 24 megapixels of noise, on two cores). */
const WEBP_PIXELS = 8_000_000;

const ruler = /** @type {CanvasRenderingContext2D} */ (document.createElement('canvas').getContext('2d'));
ruler.font = FONT;

/** @type {InLayers} */
export const inLayers = (shapes) => shapes.toSorted((a, b) => (LAYERS[a.kind] ?? 0) - (LAYERS[b.kind] ?? 0));

/** @type {BoxShape} */
export const boxShape = (kind, { x, y, width, height }) => ({ kind, points: [[x, y], [x + width, y + height]] });

/** @type {Bounds} */
export const bounds = ({ kind, points, text = '' }) => {
  // A drawing has at most 20,000 points (annotate.js): few enough for the arguments of a call.
  const [across, down] = [points.map(([x]) => x), points.map(([, y]) => y)];
  const [x, y] = [Math.min(...across), Math.min(...down)];
  const lines = text.split('\n');
  if (kind === 'text') return { x, y, width: Math.max(...lines.map((line) => ruler.measureText(line).width)), height: lines.length * TEXT_LINE };
  return { x, y, width: Math.max(...across) - x, height: Math.max(...down) - y };
};

/** @type {Corners} */
const corners = (shape) => {
  const { x, y, width, height } = bounds(shape);
  return [[x, y + height], [x, y], [x + width, y], [x + width, y + height]];
};

/** @type {Handles} */
export const handles = (shape) => (shape.kind === 'arrow' ? shape.points : shape.kind === 'text' ? [] : corners(shape));

/** @type {Touches} */
export const touches = (shape, point, slack) => {
  const { kind, points } = shape;
  const { x, y, ...size } = bounds(shape);
  const inBox = /** @type {Point} */ ([point[0] - x, point[1] - y]);
  if (kind === 'text' || kind in FILLED) return distance(inBox, into(inBox, size)) < slack;
  const line = kind === 'rectangle' ? [...corners(shape), ...corners(shape)] : points;
  return line.some((to, at) => at && distance(point, line[at - 1], to) < slack);
};

/** @type {Pull} */
export const pull = (shape, handle, to) => {
  const { kind, points } = shape;
  if (kind === 'arrow') return { ...shape, points: points.with(handle, to) };
  const [from, still] = [corners(shape)[handle], corners(shape)[(handle + 2) % 4]];
  if (kind !== 'pen') return { ...shape, points: [still, to] };
  return reshape(shape, (point) => {
    const [x, y] = point.map((value, axis) => still[axis] + ((value - still[axis]) * (to[axis] - still[axis])) / (from[axis] - still[axis] || 1));
    return [x, y];
  });
};

/** @type {Move} */
export const move = (shape, [dx, dy], { width, height }) => {
  const box = bounds(shape);
  const [left, top] = into([box.x + dx, box.y + dy], { width: width - box.width, height: height - box.height });
  return reshape(shape, ([x, y]) => [x + left - box.x, y + top - box.y]);
};

/** @type {Reshape} */
const reshape = (shape, change) => ({ ...shape, points: shape.points.map(change) });

/** @type {Into} */
export const into = ([x, y], { width, height }) => [Math.max(0, Math.min(x, width)), Math.max(0, Math.min(y, height))];

/** @type {Distance} */
export const distance = ([x, y], [ax, ay], [bx, by] = [ax, ay]) => {
  const [dx, dy] = [bx - ax, by - ay];
  const along = ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy || 1);
  const part = Math.max(0, Math.min(along, 1));
  return Math.hypot(x - ax - part * dx, y - ay - part * dy);
};

/** @type {DrawShape} */
export const drawShape = (ctx, shape) => {
  const { kind, color = REDACTION } = shape;
  ctx.save();
  Object.assign(ctx, { fillStyle: color, strokeStyle: HALO, globalAlpha: FILLED[kind] ?? 1, lineJoin: 'round', lineCap: 'round' });
  if (kind === 'text') drawText(ctx, shape);
  else if (kind in FILLED) ctx.fill(outline(shape), 'evenodd');
  else {
    // Two px of white on both sides show a line on any page.
    ctx.lineWidth = 7;
    ctx.stroke(outline(shape));
    ctx.strokeStyle = color;
    ctx.lineWidth = 3;
    ctx.stroke(outline(shape));
  }
  ctx.restore();
};

/** @type {Outline} */
const outline = (shape) => {
  const { kind, points } = shape;
  const { x, y, width, height } = bounds(shape);
  const path = new Path2D();
  if (kind === 'rectangle' || kind in FILLED) path.rect(x, y, width, height);
  else for (const point of kind === 'arrow' ? withHead(points) : points) path.lineTo(...point);
  if (kind === 'crop') path.rect(0, 0, FAR, FAR);
  return path;
};

/** On from its tip: one barb, the tip, the other barb. Barbs are 22 px long, turned by 0.56 rad. @type {WithHead} */
const withHead = ([from, tip]) => {
  const [dx, dy] = [tip[0] - from[0], tip[1] - from[1]];
  const part = Math.min(22 / Math.hypot(dx, dy), 0.5);
  const barb = (/** @type {number} */ turn) => /** @type {Point} */ ([tip[0] - part * (0.85 * dx - turn * dy), tip[1] - part * (0.85 * dy + turn * dx)]);
  return [from, tip, barb(0.53), tip, barb(-0.53)];
};

/** @type {DrawShape} */
const drawText = (ctx, { points: [[x, y]], text = '' }) => {
  Object.assign(ctx, { font: FONT, lineWidth: 5 });
  text.split('\n').forEach((line, at) => {
    const baseline = y + TEXT_SIZE + at * TEXT_LINE;
    ctx.strokeText(line, x, baseline);
    ctx.fillText(line, x, baseline);
  });
};

/** Amber handles; a dashed box around what has no corners of its own. @type {DrawGrip} */
export const drawGrip = (ctx, shape, unit) => {
  const { x, y, width, height } = bounds(shape);
  ctx.lineWidth = 1.5 * unit;
  if (/text|pen|crop/.test(shape.kind)) {
    ctx.strokeStyle = HALO;
    ctx.strokeRect(x, y, width, height);
    ctx.strokeStyle = REDACTION;
    ctx.setLineDash([4 * unit]);
    ctx.strokeRect(x, y, width, height);
    ctx.setLineDash([]);
  }
  ctx.strokeStyle = REDACTION;
  ctx.fillStyle = HANDLE;
  for (const [left, top] of handles(shape)) {
    const box = /** @type {const} */ ([left - 5 * unit, top - 5 * unit, 10 * unit, 10 * unit]);
    ctx.fillRect(...box);
    ctx.strokeRect(...box);
  }
};

/** What leaves: the cropped picture, its redactions burned in, and the marks as vectors. @type {Finish} */
export const finish = async (picture, all) => {
  const { canvas, scale } = picture;
  const boxes = (/** @type {string} */ wanted) => all.filter(({ kind }) => kind === wanted).map(bounds);
  const [redactions, [crop = null]] = [boxes('redaction'), boxes('crop')];
  const shapes = all.filter(({ kind }) => !(kind in LAYERS));
  const area = wholePixels(picture, crop ?? { x: 0, y: 0, width: FAR, height: FAR });
  // Burned at full size: what shrinks it afterwards mixes in only what is already gone.
  let made = copy(canvas, area, redactions.map((box) => wholePixels(picture, box)));
  let blob = await encode(made);
  while (blob.size > MAX_BYTES) {
    made = copy(made, { x: 0, y: 0, width: made.width, height: made.height }, [], 0.9 * Math.sqrt(MAX_BYTES / blob.size));
    blob = await encode(made);
  }
  const { width, height } = made;
  return { shapes, redactions, crop, blob, width, height, scale: (scale * width) / area.width, outShapes: outgoing(shapes, area, scale) };
};

/** Every pixel that a box touches. @type {WholePixels} */
const wholePixels = ({ canvas, scale }, box) => {
  const [x, y] = [Math.floor(box.x * scale), Math.floor(box.y * scale)];
  const right = Math.min(canvas.width, Math.ceil((box.x + box.width) * scale));
  const down = Math.min(canvas.height, Math.ceil((box.y + box.height) * scale));
  return { x, y, width: right - x, height: down - y };
};

/** @type {Copy} */
const copy = (source, { x, y, width, height }, redactions, factor = 1) => {
  const canvas = new OffscreenCanvas(width * factor, height * factor);
  const ctx = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext('2d'));
  // A JPEG would turn clear parts black.
  ctx.fillStyle = '#fff';
  ctx.fillRect(0, 0, width, height);
  ctx.drawImage(source, x, y, width, height, 0, 0, canvas.width, canvas.height);
  ctx.fillStyle = REDACTION;
  for (const box of redactions) ctx.fillRect(box.x - x, box.y - y, box.width, box.height);
  return canvas;
};

/** @type {Encode} */
const encode = async (canvas) => {
  const pixels = canvas.width * canvas.height;
  const type = pixels <= PNG_PIXELS ? 'image/png' : pixels <= WEBP_PIXELS ? 'image/webp' : 'image/jpeg';
  const made = await canvas.convertToBlob({ type, quality: 0.9 });
  // Safari has no WebP encoder and answers with PNG.
  return made.type === type ? made : canvas.convertToBlob({ type: 'image/jpeg', quality: 0.9 });
};

/** Marks as the server takes them: relative to the area (image px), cut at its edges. @type {Outgoing} */
const outgoing = (shapes, area, scale) => {
  const size = { width: area.width / scale, height: area.height / scale };
  return shapes
    .map((shape) => reshape(shape, ([x, y]) => [x - area.x / scale, y - area.y / scale]))
    .map((shape) => reshape({ ...shape, points: clipped(shape, size) }, ([x, y]) => [rounded(x), rounded(y)]))
    .filter(({ points }) => points.length);
};

/** A mark's points, none outside of a picture; no point at all where too little is left. @type {Clipped} */
const clipped = (shape, size) => {
  const { kind, points } = shape;
  const { x, y, width, height } = bounds(shape);
  if (x > size.width || y > size.height || x + width < 0 || y + height < 0) return [];
  if (kind === 'text') return move(shape, [0, 0], size).points;
  if (kind !== 'pen' || points.length === 2) return points.map((point) => into(point, size));
  const inside = points.filter((point) => !distance(point, into(point, size)));
  return inside.length > 1 ? inside : [];
};

const rounded = (/** @type {number} */ value) => Math.round(value * 10) / 10;
