// [data-toast]: says what was done, floating, with Undo for ten seconds; or what was refused, until it is closed.
import { on } from './dom.js';

const SHOWN_S = 10;
/** @type {number | undefined} */
let timer;
let left = 0;

/**
 * @param {string} words
 * @param {boolean} [undoable]
 */
export function say(words, undoable = false) {
  show(words, '', undoable);
  left = SHOWN_S;
  tick();
  timer = window.setInterval(tick, 1000);
}

/**
 * @param {string} words
 * @param {string} requestId
 */
export function refuse(words, requestId) {
  show(words, requestId && `Request id ${requestId}`, false);
  toast()?.classList.add('toast--bad');
  part('left').textContent = '';
}

export function hide() {
  clearInterval(timer);
  const box = toast();
  if (!box) return;
  const held = box.contains(document.activeElement);
  box.hidden = true;
  if (held) document.dispatchEvent(new CustomEvent('earmark:focus-list'));
}

on('click', '[data-toast-close]', hide);

/** @returns {HTMLElement | null} */
const toast = () => document.querySelector('[data-toast]');

/** @param {string} name */
const part = (name) => /** @type {HTMLElement} */ (document.querySelector(`[data-toast-${name}]`));

/**
 * @param {string} words
 * @param {string} small
 * @param {boolean} undoable
 */
function show(words, small, undoable) {
  clearInterval(timer);
  const box = toast();
  const undo = document.querySelector('[data-undo]');
  if (!box || !(undo instanceof HTMLElement)) return;
  box.classList.remove('toast--bad');
  box.hidden = false;
  undo.hidden = !undoable;
  part('words').textContent = words;
  part('id').textContent = small;
}

/** Counts down, but not while the pointer or the focus is on it. */
function tick() {
  const box = toast();
  if (!box || box.matches(':hover, :focus-within')) return;
  if (left <= 0) hide();
  else part('left').textContent = `${left} s`;
  left -= 1;
}
