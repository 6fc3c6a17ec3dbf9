/** Hands on the picture: mouse, touch, pen and keyboard. What is dragged is shown, and put into the drawing when let go. */
/** @import {At, Dragged, Hear, Nudge, Point, PointOf, Press, Show, TakenAt} from './annotate-types' */
import { TOOLS, draw, show, write } from './annotate-view.js';
import { TEXT_LINE, distance, handles, into, move, pull, touches } from './draw.js';

/** Screen px: a shorter drag is a click; how near a mouse must come, and a finger; a pen's step. */
const CLICK = 4;
const NEAR = 8;
const FINGER = 22;
const STEP = 2;
/** @type {Record<string, Point>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
/** @type {Record<string, string>} */
const ACTIONS = { escape: 'cancel', delete: 'delete', backspace: 'delete' };
for (const [tool, { key }] of Object.entries(TOOLS)) ACTIONS[key] = tool;

/** @type {Show} */
export const followHands = (editor) => {
  const { marks, dialog } = editor.view;
  // A second finger is no second hand.
  const primary = (/** @type {Hear} */ act) => (/** @type {PointerEvent} */ event) => event.isPrimary && act(editor, event);
  Object.assign(marks, {
    onpointerdown: primary(take),
    onpointermove: primary(drag),
    onpointerup: primary(release),
    onpointercancel: primary(drop),
    // Else a browser may take a quick stroke for a fling, and the next tap for its end.
    ontouchstart: (/** @type {Event} */ event) => event.preventDefault(),
    ondblclick: (/** @type {MouseEvent} */ event) => write(editor, shapeAt(editor, pointOf(editor, event))),
  });
  // What is typed here is none of the page's business, nor may it scroll.
  dialog.onpaste = (event) => event.stopPropagation();
  dialog.onkeydown = (event) => {
    event.stopPropagation();
    if (!(event.target instanceof HTMLTextAreaElement) && !event.isComposing && press(editor, event)) event.preventDefault();
  };
  dialog.addEventListener('wheel', (event) => event.ctrlKey || event.preventDefault(), { passive: false });
  // A phone's back gesture asks a modal dialog to close.
  dialog.oncancel = (event) => {
    event.preventDefault();
    editor.cancel();
  };
};

/** @type {Hear} */
const take = (editor, event) => {
  if (event.button) return;
  editor.endText?.();
  editor.byKeys = false;
  const taken = takenAt(editor, pointOf(editor, event), event.pointerType === 'mouse' ? NEAR : FINGER);
  if (!taken?.fresh) editor.selected = taken ? taken.at : -1;
  editor.drag = taken;
  editor.view.marks.setPointerCapture(event.pointerId);
  show(editor);
};

/** @type {Hear} */
const drag = (editor, event) => {
  const { drag, view, zoom } = editor;
  const to = pointOf(editor, event);
  if (!drag) {
    const taken = takenAt(editor, to, NEAR);
    view.marks.style.cursor = !taken ? 'default' : taken.fresh ? 'crosshair' : 'move';
  } else if (drag.live || distance(drag.from, to) * zoom >= CLICK) {
    drag.live = dragged(editor, event, drag, to);
    draw(editor);
  }
};

/** @type {Show} */
const release = (editor) => {
  const { drag } = editor;
  drop(editor);
  if (drag?.live) editor.put(drag.live, drag.at);
  else if (drag?.fresh) click(editor, drag.from);
};

/** @type {Show} */
const drop = (editor) => {
  editor.drag = null;
  draw(editor);
};

/** A drawing tool that did not draw takes what is under it. @type {At<void>} */
const click = (editor, [x, y]) => {
  const at = shapeAt(editor, [x, y]);
  const { tool, shapes } = editor;
  if (tool === 'text' && shapes[at]?.kind === tool) write(editor, at);
  else if (tool === 'text') write(editor, editor.next, editor.fresh([[x, Math.max(0, y - TEXT_LINE / 2)]]));
  else if (tool !== 'crop') editor.select(at);
};

/** What a hand at a point takes hold of: a handle, the selected shape, or a new one; `reach` in screen px. @type {TakenAt} */
const takenAt = (editor, from, reach) => {
  const { tool, subject, selected, shapes, zoom } = editor;
  const handle = subject ? handles(subject).findIndex((place) => distance(place, from) * zoom < reach) : -1;
  const at = handle < 0 && tool === 'select' ? shapeAt(editor, from) : selected;
  const shape = shapes[at];
  // A pen must be free to cross its own last line.
  if (shape && (handle >= 0 || (tool !== 'pen' && touches(shape, from, NEAR / zoom)))) return { from, handle, shape, at, fresh: false };
  return tool === 'select' ? null : { from, handle, shape: editor.fresh([from, from]), at: editor.next, fresh: true };
};

/** What is dragged, as it would be when let go. @type {Dragged} */
const dragged = (editor, event, { fresh, from, handle, shape }, to) => {
  const { size, zoom } = editor;
  const { kind, points } = shape;
  if (!fresh) return handle < 0 ? move(shape, [to[0] - from[0], to[1] - from[1]], size) : pull(shape, handle, to);
  if (kind === 'text') return undefined;
  if (kind !== 'pen') return { ...shape, points: [from, to] };
  const steps = event.getCoalescedEvents?.() ?? [event];
  for (const step of steps.map((one) => pointOf(editor, one))) {
    if (distance(step, points[points.length - 1]) * zoom > STEP) points.push(step);
  }
  return shape;
};

/** The topmost mark at a point, or -1; a crop would cover them all. @type {At<number>} */
const shapeAt = ({ shapes, zoom }, point) =>
  shapes.findLastIndex((shape) => shape.kind !== 'crop' && touches(shape, point, NEAR / zoom));

/** @type {PointOf} */
const pointOf = ({ view, zoom, size }, { clientX, clientY }) => {
  const { left, top } = view.marks.getBoundingClientRect();
  return into([(clientX - left) / zoom, (clientY - top) / zoom], size);
};

/** Does what a key asks for; false where it means nothing here. @type {Press} */
const press = (editor, { key, shiftKey, altKey, ctrlKey, metaKey, target }) => {
  const { view, subject } = editor;
  const control = ctrlKey || metaKey;
  /** @type {Record<string, string>} */
  const actions = control ? { z: shiftKey ? 'redo' : 'undo', y: 'redo' } : ACTIONS;
  const action = actions[key.toLowerCase()];
  const onPicture = target === view.marks;
  if (key === 'Tab') editor.byKeys = true;
  if (editor.drag && action === 'cancel') drop(editor);
  else if (action && (view.ask.hidden || action === 'cancel')) editor.act(action);
  else if (control || !view.ask.hidden) return false;
  else if (ARROWS[key] && subject) nudge(editor, subject, ARROWS[key], shiftKey ? 10 : 1, altKey);
  else if (onPicture && key === 'Enter') addInTheMiddle(editor);
  else return onPicture && /^( |Page|Home|End)/.test(key);
  return true;
};

/** Moves a mark, or resizes it: an arrow by its tip, all else by the bottom right corner. @type {Nudge} */
const nudge = (editor, shape, [x, y], step, resize) => {
  const { size, selected } = editor;
  const corners = handles(shape);
  const corner = corners.at(-1);
  if (!resize) editor.put(move(shape, [x * step, y * step], size), selected, 'move');
  else if (corner) editor.put(pull(shape, corners.length - 1, into([corner[0] + x * step, corner[1] + y * step], size)), selected, 'resize');
};

/** A mark of usual size, for who cannot drag. @type {Show} */
const addInTheMiddle = (editor) => {
  const { tool, size, next } = editor;
  const [x, y] = [size.width / 2, size.height / 2];
  editor.byKeys = true;
  if (tool === 'text') write(editor, next, editor.fresh([[x - 40, y]]));
  else if (tool !== 'select') {
    const part = tool === 'crop' ? 0.8 : 0.2;
    const [aside, up] = [x * part, tool === 'pen' ? 0 : y * part];
    editor.put(editor.fresh([[x - aside, y + up], [x + aside, y - up]]), next);
    /** @type {HTMLElement | undefined} */ (editor.view.items.children[editor.selected])?.focus();
  }
};
