/** The annotation view: a modal dialog with the picture and one bar of tools, kept up to the editor's state. */
/** @import {BuildView, MakeButton, Place, Show, Tool, ToolFacts, Write} from './annotate-types' */
import { h } from './dom.js';
import { bounds, drawGrip, drawShape } from './draw.js';
import { icon } from './icon.js';

/** The server's limit (api.md). */
const MAX_LETTERS = 500;

/** In the bar's order: key, icon on a grid of 16, and whose colour it draws in. @type {Record<Tool, ToolFacts>} */
export const TOOLS = {
  select: { key: 'v', icon: 'M3 2l4 12 2-5 5-2z' },
  pen: { key: 'p', icon: 'M2 14l1-4 8-8 3 3-8 8z', ink: 'line' },
  rectangle: { key: 'r', icon: 'M2 4h12v8H2z', ink: 'line' },
  arrow: { key: 'a', icon: 'M3 13L13 3M6 3h7v7', ink: 'line' },
  text: { key: 't', icon: 'M3 5V3h10v2M8 3v11M6 14h4', ink: 'line' },
  highlight: { key: 'h', icon: 'M2 14h6M6 7l-3 3 3 3 3-3M14 6l-5 4-3-3 4-5z', ink: 'marker' },
  redaction: { key: 'b', icon: 'M2 5h12v6H2z' },
  crop: { key: 'c', icon: 'M4 1v11h11M1 4h11v11' },
};

/** `--drawn`, three chart colours that keep 3:1 on the white halo, and a marker's yellow. @type {Record<string, string>} */
export const COLOURS = { red: '#d63a0f', blue: '#3a6cc2', green: '#138a7d', plum: '#8f2c69', yellow: '#ffd21f' };

/** @type {Record<string, string>} */
const ICONS = {
  undo: 'M5 2L2 6l3 3M2 6h8a4 4 0 0 1 0 8H7',
  redo: 'M11 2l3 4-3 3M14 6H6a4 4 0 0 0 0 8h3',
  delete: 'M2 4h12M4 4l1 10h6l1-10M6 4V2h4v2',
  flip: 'M8 2v12M5 5l3-3 3 3M5 11l3 3 3-3',
};

/** @type {BuildView} */
export const buildView = (t, picture, act) => {
  /** @type {Record<string, HTMLButtonElement>} */
  const buttons = {};
  const button = (/** @type {string} */ action, /** @type {(Node | string)[]} */ ...content) => {
    const name = t(action);
    const key = TOOLS[/** @type {Tool} */ (action)]?.key;
    const title = key ? `${name} (${key.toUpperCase()})` : name;
    buttons[action] = makeButton(name, () => act(action), { class: `b ${action}`, title, 'aria-keyshortcuts': key }, ...content);
    return buttons[action];
  };
  const word = (/** @type {string} */ action) => button(action, t(action));
  const drawn = (/** @type {string} */ action, label = h('span', {}, t(action))) =>
    button(action, icon(ICONS[action] ?? TOOLS[/** @type {Tool} */ (action)].icon), label);
  const dots = Object.entries(COLOURS).map(([colour, value]) => {
    const dot = h('i');
    dot.style.background = value;
    return Object.assign(button(colour, dot), { role: 'radio' });
  });
  const [name, sentence, extent, items] = [h('b'), h('span'), h('span'), h('div')];
  const marks = h('canvas', { class: 'marks', tabindex: 0, role: 'application', 'aria-description': t('keys') });
  const stage = h('div', { class: 'stage' }, picture, marks, items);
  const area = h('div', { class: 'area' }, stage);
  const colours = h('div', { class: 'float', role: 'radiogroup', 'aria-label': t('colour') }, ...dots);
  const ask = h(
    'div',
    { class: 'bar float', role: 'alertdialog', 'aria-label': t('ask'), hidden: true },
    h('b', {}, t('ask')),
    word('discard'),
    word('keep'),
  );
  const bar = h(
    'div',
    { class: 'bar float', role: 'group', 'aria-label': t('tools') },
    h('div', { class: 'tools' }, ...Object.keys(TOOLS).slice(0, -1).map((tool) => drawn(tool))),
    h('div', {}, drawn('undo'), drawn('redo'), drawn('delete')),
    h('div', {}, drawn('crop', extent), drawn('flip')),
    h('div', {}, word('cancel'), word('done')),
  );
  const dock = h('div', { class: 'dock' }, h('div', { class: 'row' }, h('p', { class: 'hint' }, name, sentence), colours), bar, ask);
  const live = h('p', { class: 'quiet', role: 'status' });
  const dialog = h('dialog', { class: 'an', 'aria-label': t('title') }, area, dock, live);
  return { dialog, area, stage, marks, items, dock, name, sentence, colours, extent, ask, live, buttons };
};

/** Fits the picture into its area, at most at its own size. @type {Show} */
export const layout = (editor) => {
  const { area, stage, marks } = editor.view;
  const { width, height } = editor.size;
  editor.zoom = Math.min(1, area.clientWidth / width, area.clientHeight / height) || 1;
  place(stage, { x: 0, y: 0, width, height }, editor.zoom);
  marks.width = width * editor.zoom * devicePixelRatio;
  marks.height = height * editor.zoom * devicePixelRatio;
  show(editor);
};

/** @type {Show} */
export const show = (editor) => {
  const { view, t, tool, past, future, subject, byKeys } = editor;
  const { buttons, extent } = view;
  const possible = { undo: past.length, redo: future.length, delete: subject };
  for (const [action, can] of Object.entries(possible)) buttons[action].ariaDisabled = String(!can);
  for (const other of Object.keys(TOOLS)) buttons[other].ariaPressed = String(other === tool);
  extent.textContent = t(editor.crop < 0 ? 'whole' : 'area');
  buttons.crop.ariaLabel = `${t('crop')}: ${extent.textContent}`;
  view.name.textContent = `${t(tool)}: `;
  view.sentence.textContent = t(byKeys ? 'keys' : `${tool}.hint`);
  view.dialog.classList.toggle('keys', byKeys);
  showColours(editor);
  showItems(editor);
  draw(editor);
};

/** @type {Show} */
const showColours = ({ view, subject, tool, inks }) => {
  const { ink } = TOOLS[subject?.kind ?? tool];
  const current = subject?.color ?? (ink && inks[ink]);
  view.colours.hidden = !ink;
  view.buttons.yellow.hidden = ink !== 'marker';
  for (const [colour, value] of Object.entries(COLOURS)) view.buttons[colour].ariaChecked = String(value === current);
};

/** One element a mark, in its place, for the keyboard and for screen readers. @type {Show} */
const showItems = (editor) => {
  const { view, shapes, zoom, t } = editor;
  const { items, marks } = view;
  const count = shapes.length;
  const focused = [...items.children].findIndex((item) => item.matches(':focus'));
  items.replaceChildren(
    ...shapes.map((shape, at) => {
      const kind = `${t(shape.kind)} ${shape.text ?? ''}`.trim();
      const button = makeButton(t('item', { kind, at: at + 1, count }), () => write(editor, at), { class: 'item' });
      button.onfocus = () => at !== editor.selected && editor.select(at);
      place(button, bounds(shape), zoom);
      return button;
    }),
  );
  /** @type {HTMLElement | undefined} */ (items.children[focused])?.focus();
  marks.ariaLabel = t('picture', { count });
};

/** Draws all marks, one of them as it is being dragged. @type {Show} */
export const draw = ({ view: { marks, dock }, size, shapes, drag, subject, zoom }) => {
  const ctx = /** @type {CanvasRenderingContext2D} */ (marks.getContext('2d'));
  const unit = marks.width / size.width;
  const live = drag?.live;
  const held = live ?? subject;
  dock.classList.toggle('away', Boolean(live));
  ctx.setTransform(unit, 0, 0, unit, 0, 0);
  ctx.clearRect(0, 0, size.width, size.height);
  for (const shape of live ? shapes.toSpliced(drag.at, 1, live) : shapes) drawShape(ctx, shape);
  if (held && !drag?.fresh) drawGrip(ctx, held, 1 / zoom);
};

/** A field over the picture for a text's words: Enter or leaving it ends it, Escape takes back. @type {Write} */
export const write = (editor, at, shape = editor.shapes[at]) => {
  if (shape?.kind !== 'text') return;
  const { view, zoom } = editor;
  const { text: before = '', color = '' } = shape;
  const field = h('textarea', { class: 'write', maxlength: MAX_LETTERS, 'aria-label': editor.t('write') });
  const fit = () => {
    const { x, y, width, height } = bounds({ ...shape, text: field.value });
    place(field, { x: x * zoom, y: y * zoom, width: width + 22, height: height + 2 }, 1);
  };
  const end = (/** @type {string} */ text) => {
    if (!editor.endText) return;
    editor.endText = null;
    field.remove();
    editor.select(at);
    if (!text) editor.delete();
    else if (text !== before) editor.put({ ...shape, text }, at);
    view.marks.focus();
  };
  editor.select(-1);
  editor.endText = field.onblur = () => end(field.value.trimEnd());
  Object.assign(field, { value: before, oninput: fit });
  // Scaled, not set smaller: a phone zooms into a field with letters below 16 px.
  Object.assign(field.style, { scale: zoom, color });
  field.onkeydown = (event) => {
    if (event.isComposing || event.shiftKey || !/^(Escape|Enter)$/.test(event.key)) return;
    event.preventDefault();
    end(event.key === 'Enter' ? field.value.trimEnd() : before);
  };
  view.stage.append(field);
  fit();
  field.focus();
};

/** @type {MakeButton} */
const makeButton = (name, click, attributes, ...content) =>
  h('button', { type: 'button', title: name, 'aria-label': name, click, ...attributes }, ...content);

/** @type {Place} */
const place = ({ style }, { x, y, width, height }, zoom) =>
  Object.assign(style, { left: `${x * zoom}px`, top: `${y * zoom}px`, width: `${width * zoom}px`, height: `${height * zoom}px` });
