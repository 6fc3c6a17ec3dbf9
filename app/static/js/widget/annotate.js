/**
 * The annotation view: marks on a picture by mouse, touch, pen or keyboard, and the picture that
 * comes of it. Redactions become pixels here, before anything is kept or sent; marks stay vectors.
 */
/** @import {Drag, Options, Picture, Point, Result, Shape, Tool, Translate} from './annotate-types' */
import { followHands } from './annotate-hands.js';
import { css } from './annotate-styles.js';
import { COLOURS, TOOLS, buildView, layout, show } from './annotate-view.js';
import { bounds, boxShape, finish, inLayers, move } from './draw.js';
import { sheet } from './styles.js';

/** The server's limits (api.md). */
const MAX_SHAPES = 500;
const MAX_POINTS = 20_000;
/** CSS px: a crop that is smaller was not meant. */
const SMALLEST_CROP = 8;

/**
 * All coordinates are CSS px of the picture.
 * @param {Options} options
 * @returns {Promise<Result | null>} null when cancelled
 */
export const annotate = async ({ root, picture, shapes, redactions, crop, t }) => {
  const boxes = [...redactions.map((box) => boxShape('redaction', box)), ...(crop ? [boxShape('crop', crop)] : [])];
  const editor = new Editor(picture, [...boxes, ...shapes], (key, params) => t(`annotate.${key}`, params));
  const { dialog, area, marks } = editor.view;
  const resized = new ResizeObserver(() => layout(editor));
  const style = sheet(css);
  const back = /** @type {HTMLElement | null} */ (root.activeElement);
  root.adoptedStyleSheets.push(style);
  root.append(dialog);
  try {
    followHands(editor);
    dialog.showModal();
    layout(editor);
    resized.observe(area);
    marks.focus();
    return await editor.result;
  } finally {
    resized.disconnect();
    dialog.remove();
    root.adoptedStyleSheets = root.adoptedStyleSheets.filter((other) => other !== style);
    back?.focus();
  }
};

/**
 * What is drawn, what is chosen, and each step that changes it. A drawing is never changed in place:
 * a step back is a list of shapes that was kept.
 */
export class Editor {
  /** @type {Tool} */
  tool = 'rectangle';
  /** The colours in use. A marker has its own: its yellow would be lost in a thin line. */
  inks = { line: COLOURS.red, marker: COLOURS.yellow };
  /** Index of the selected shape, or -1. */
  selected = -1;
  /** @type {Drag | null} */
  drag = null;
  /** Screen px per CSS px of the picture. */
  zoom = 1;
  /** Keys were used last: the hint then says how. */
  byKeys = false;
  /** Ends the typing of a text. @type {(() => void) | null} */
  endText = null;
  /** @type {Shape[][]} */
  past = [];
  /** @type {Shape[][]} */
  future = [];
  /** Names the last step, so that nudges in a row are one step back. */
  #step = '';
  /** @type {(result: Result | null) => void} */
  #close = () => {};

  /** @param {Picture} picture @param {Shape[]} shapes @param {Translate} t */
  constructor(picture, shapes, t) {
    this.picture = picture;
    this.size = { width: picture.canvas.width / picture.scale, height: picture.canvas.height / picture.scale };
    this.shapes = this.first = inLayers(shapes);
    this.t = t;
    this.view = buildView(t, picture.canvas, (action) => this.act(action));
    /** @type {Promise<Result | null>} */
    this.result = new Promise((resolve) => {
      this.#close = resolve;
    });
  }

  /** What handles, colours and keys belong to. */
  get subject() {
    return this.shapes[this.selected];
  }

  /** Index of the crop, or -1. */
  get crop() {
    return this.shapes.findIndex(({ kind }) => kind === 'crop');
  }

  /** Where a new shape goes: to the end; a crop in place of the last one. */
  get next() {
    return this.tool === 'crop' && this.crop >= 0 ? this.crop : this.shapes.length;
  }

  /** A new shape of the current tool. @param {Point[]} points @returns {Shape} */
  fresh(points) {
    const { ink } = TOOLS[this.tool];
    return { kind: /** @type {Shape['kind']} */ (this.tool), points, ...(ink && { color: this.inks[ink] }) };
  }

  /** Does what a button or key asks for: a tool, a colour, or a method of that name. @param {string} action */
  act(action) {
    this.endText?.();
    if (this.drag || this.view.buttons[action]?.ariaDisabled === 'true') return;
    if (action in TOOLS) this.pick(/** @type {Tool} */ (action));
    else if (action in COLOURS) this.dye(COLOURS[action]);
    else this[/** @type {'undo' | 'redo' | 'delete' | 'flip' | 'cancel' | 'keep' | 'discard' | 'done'} */ (action)]();
  }

  /** @param {Tool} tool */
  pick(tool) {
    const { name, sentence } = this.view;
    // The crop's button pressed again takes the whole page again.
    if (tool === 'crop' && this.tool === tool && this.subject?.kind === tool) this.delete();
    this.tool = tool;
    this.select(tool === 'crop' ? this.crop : tool === 'select' ? this.selected : -1);
    this.say(`${name.textContent} ${sentence.textContent}`);
  }

  /** Colours what is selected, and what is drawn next. @param {string} color */
  dye(color) {
    const { subject } = this;
    const { ink } = TOOLS[subject?.kind ?? this.tool];
    if (ink) this.inks[ink] = color;
    if (subject) this.put({ ...subject, color });
    else show(this);
  }

  /** @param {number} at */
  select(at) {
    this.selected = at;
    show(this);
  }

  /**
   * Puts a shape in the place of another, or at the end; steps of the same name in a row count as one.
   * @param {Shape} shape
   */
  put(shape, at = this.selected, step = '') {
    const added = at === this.shapes.length;
    const placed = move(shape, [0, 0], this.size);
    const shapes = inLayers(this.shapes.toSpliced(at, 1, placed));
    const { width, height } = bounds(placed);
    if (shapes.length > MAX_SHAPES || shapes.flatMap(({ points }) => points).length > MAX_POINTS) return this.say(this.t('full'), true);
    if (shape.kind === 'crop' && Math.min(width, height) < SMALLEST_CROP) return show(this);
    // A pen goes on to the next line; handles would be in its way.
    this.selected = added && shape.kind === 'pen' && !this.byKeys ? -1 : shapes.indexOf(placed);
    this.#commit(shapes, step && `${step} ${at}`);
    if (added) this.say(this.t('added', { kind: this.t(shape.kind) }));
  }

  delete() {
    if (!this.subject) return;
    const shapes = this.shapes.toSpliced(this.selected, 1);
    this.view.marks.focus();
    this.selected = -1;
    this.#commit(shapes);
    this.say(this.t('removed'));
  }

  /** @param {Shape[]} shapes */
  #commit(shapes, step = '') {
    if (!step || step !== this.#step) this.past.push(this.shapes);
    this.#step = step;
    this.future = [];
    this.shapes = shapes;
    show(this);
  }

  undo() {
    this.#travel(this.past, this.future, 'undo');
  }

  redo() {
    this.#travel(this.future, this.past, 'redo');
  }

  /** @param {Shape[][]} from @param {Shape[][]} to @param {string} word */
  #travel(from, to, word) {
    const shapes = from.pop();
    if (!shapes) return;
    to.push(this.shapes);
    this.shapes = shapes;
    this.#step = '';
    this.select(-1);
    this.say(this.t(word));
  }

  flip() {
    this.view.dock.classList.toggle('top');
  }

  /** Leaves, or asks first if something was drawn; asked again, goes on. */
  cancel() {
    if (this.shapes === this.first) this.discard();
    else this.#ask(Boolean(this.view.ask.hidden));
  }

  keep() {
    this.#ask(false);
  }

  discard() {
    this.#close(null);
  }

  async done() {
    try {
      this.#close(await finish(this.picture, this.shapes));
    } catch {
      this.say(this.t('failed'), true);
    }
  }

  /** @param {boolean} open */
  #ask(open) {
    const { dialog, area, ask, buttons, marks } = this.view;
    ask.hidden = !open;
    dialog.classList.toggle('asking', open);
    area.inert = open;
    (open ? buttons.keep : marks).focus();
  }

  /** To a screen reader, and where it matters to all. @param {string} sentence */
  say(sentence, shown = false) {
    this.view.live.textContent = sentence;
    if (shown) this.view.sentence.textContent = sentence;
  }
}
