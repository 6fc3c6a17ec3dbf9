// [data-redact]: boxes are drawn on the picture; each is a row of four numbers, which is what is sent.
import { on, onEach } from './dom.js';

const NAMES = ['x', 'y', 'width', 'height'];
/** Presses that move less than this, in pixels of the page shown, are no box. */
const LEAST = 3;
const SVG = 'http://www.w3.org/2000/svg';
/** @type {{form: Element, row: Element, x: number, y: number} | null} */
let drawing = null;

/**
 * @param {Element} row
 * @returns {HTMLInputElement[]} left, top, width, height
 */
const fields = (row) => NAMES.map((name) => /** @type {HTMLInputElement} */ (row.querySelector(`[name="${name}"]`)));

/** @param {Element} form */
const rowsOf = (form) => [...form.querySelectorAll('[data-redact-row]')];

/**
 * @param {Element} row
 * @param {number[]} values
 */
function fill(row, values) {
  fields(row).forEach((field, at) => {
    field.value = String(Math.round(values[at] ?? 0));
  });
}

/** @param {Element} row */
const isEmpty = (row) => fields(row).every((field) => !field.value);

/** @param {Element} form @returns {Element} a row without numbers, at the end of the list */
function freshRow(form) {
  const rows = rowsOf(form);
  const free = rows.find(isEmpty);
  if (free) return free;
  const made = /** @type {Element} */ (/** @type {Element} */ (rows[0]).cloneNode(true));
  for (const field of fields(made)) field.value = '';
  form.querySelector('[data-redact-list]')?.append(made);
  return made;
}

/** @param {Element} form */
function draw(form) {
  const boxes = rowsOf(form)
    .filter((row) => !isEmpty(row))
    .map((row) => {
      const rect = document.createElementNS(SVG, 'rect');
      fields(row).forEach((field, at) => {
        rect.setAttribute(/** @type {string} */ (NAMES[at]), String(Math.max(at < 2 ? -Infinity : 0, Number(field.value))));
      });
      return rect;
    });
  form.querySelector('[data-redact-boxes]')?.replaceChildren(...boxes);
}

/**
 * Where a press lies, in pixels of the page that the picture shows.
 * @param {Element} form
 * @param {PointerEvent} event
 */
function place(form, event) {
  const picture = /** @type {HTMLImageElement} */ (form.querySelector('[data-redact-frame] img'));
  const box = picture.getBoundingClientRect();
  const scale = Number(picture.getAttribute('width')) / box.width;
  const inside = (/** @type {number} */ value, /** @type {number} */ most) => Math.min(Math.max(value, 0), most);
  return {
    x: inside(event.clientX - box.left, box.width) * scale,
    y: inside(event.clientY - box.top, box.height) * scale,
  };
}

on('pointerdown', '[data-redact-frame]', (frame, event) => {
  const form = frame.closest('[data-redact]');
  const press = /** @type {PointerEvent} */ (event);
  if (!form || press.button !== 0) return;
  press.preventDefault();
  frame.setPointerCapture(press.pointerId);
  drawing = { form, row: freshRow(form), ...place(form, press) };
});

document.addEventListener('pointermove', (event) => {
  if (!drawing) return;
  const { form, row, x, y } = drawing;
  const now = place(form, event);
  fill(row, [Math.min(x, now.x), Math.min(y, now.y), Math.abs(now.x - x), Math.abs(now.y - y)]);
  draw(form);
});

document.addEventListener('pointerup', () => {
  if (!drawing) return;
  const { form, row } = drawing;
  drawing = null;
  const [, , width, height] = fields(row).map((field) => Number(field.value));
  if ((width ?? 0) < LEAST || (height ?? 0) < LEAST) for (const field of fields(row)) field.value = '';
  draw(form);
});

on('click', '[data-redact-add]', (button) => {
  const form = button.closest('[data-redact]');
  if (!form) return;
  const row = freshRow(form);
  fill(row, [20, 20, 160, 40]);
  draw(form);
  fields(row)[0]?.focus();
});

on('click', '[data-redact-remove]', (button) => {
  const form = button.closest('[data-redact]');
  const row = button.closest('[data-redact-row]');
  if (!form || !row) return;
  if (rowsOf(form).length > 1) row.remove();
  else for (const field of fields(row)) field.value = '';
  draw(form);
  const next = form.querySelector('[data-redact-add]');
  if (next instanceof HTMLElement) next.focus();
});

on('input', '[data-redact]', (form) => draw(form));

onEach('[data-redact]', draw);
