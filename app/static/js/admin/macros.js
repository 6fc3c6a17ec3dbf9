// [data-macro]: puts the text of a macro into the composer, and says what else is set when it is sent.
import { on } from './dom.js';

/** Has the macros of the open submission loaded, if they are not yet. */
export function loadMacros() {
  document.querySelector('[data-macros]')?.dispatchEvent(new CustomEvent('earmark:macros'));
}

document.addEventListener(
  'toggle',
  (event) => {
    const menu = event.target;
    if (!(menu instanceof HTMLDetailsElement) || !menu.open || !menu.querySelector('[data-macros]')) return;
    loadMacros();
    focusFirst();
  },
  { capture: true },
);

document.addEventListener('htmx:after:swap', (event) => {
  const { ctx } = /** @type {CustomEvent} */ (event).detail;
  if (ctx?.target instanceof Element && ctx.target.matches('[data-macros]')) focusFirst();
});

/** The first macro has the focus where their menu is open. */
function focusFirst() {
  const first = document.querySelector('details[open] > [data-macros] [data-macro]');
  if (first instanceof HTMLElement) first.focus();
}

on('click', '[data-macro]', (choice) => {
  const form = choice.closest('form');
  if (!form) return;
  const { macro = '', macroKind = '', macroText = '', macroSaid = '' } = choice.dataset;
  const text = /** @type {HTMLTextAreaElement} */ (form.elements.namedItem('text'));
  /** @type {RadioNodeList} */ (form.elements.namedItem('kind')).value = macroKind;
  // What is written already stays above it.
  const before = text.value.trim() ? `${text.value.trimEnd()}\n\n` : '';
  text.value = before + macroText;
  setMacro(form, macroSaid ? macro : '', macroSaid);
  text.dispatchEvent(new Event('input', { bubbles: true }));
  text.focus();
});

on('click', '[data-macro-off]', (button) => {
  const form = button.closest('form');
  const text = form?.querySelector('textarea');
  if (!form || !text) return;
  setMacro(form, '', '');
  text.dispatchEvent(new Event('input', { bubbles: true }));
  text.focus();
});

/**
 * What a composer sets when it is sent: a macro's id and its words.
 * @param {HTMLFormElement} form
 */
export function macroOf(form) {
  const field = form.querySelector('[data-macro-used] input');
  const macro = field instanceof HTMLInputElement && !field.disabled ? field.value : '';
  return { macro, said: form.querySelector('[data-macro-sets]')?.textContent ?? '' };
}

/**
 * @param {HTMLFormElement} form
 * @param {string} macro its id; none sets nothing
 * @param {string} said
 */
export function setMacro(form, macro, said) {
  const line = form.querySelector('[data-macro-used]');
  const field = line?.querySelector('input');
  const words = line?.querySelector('[data-macro-sets]');
  if (!(line instanceof HTMLElement) || !field || !words) return;
  line.hidden = !macro;
  field.disabled = !macro;
  field.value = macro;
  words.textContent = said;
}
