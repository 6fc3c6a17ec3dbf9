// [data-composer]: what is being written outlives a change of the submission beside it, and is dropped once it is sent.
import { on, onEach } from './dom.js';
import { macroOf, setMacro } from './macros.js';

/** @type {Map<string, {text: string, kind: string, macro: string, said: string}>} */
const drafts = new Map();
/** Whose message is under way: after its answer the end of the thread is shown. */
let sending = '';

/** @param {HTMLFormElement} form */
const partsOf = (form) => ({
  id: form.dataset.composer ?? '',
  text: /** @type {HTMLTextAreaElement} */ (form.elements.namedItem('text')),
  kinds: /** @type {RadioNodeList} */ (form.elements.namedItem('kind')),
});

on('input', '[data-composer]', (element) => {
  const form = /** @type {HTMLFormElement} */ (element);
  const { id, text, kinds } = partsOf(form);
  drafts.set(id, { text: text.value, kind: kinds.value, ...macroOf(form) });
});

on('click', '[data-composer] [name="kind"]', (choice) => {
  const form = choice.closest('form');
  if (form) partsOf(form).text.focus();
});

document.addEventListener('htmx:before:request', (event) => {
  const source = /** @type {CustomEvent} */ (event).detail.ctx?.sourceElement;
  if (source instanceof HTMLFormElement && source.matches('[data-composer]')) sending = source.dataset.composer ?? '';
});

document.addEventListener('htmx:after:request', (event) => {
  const { ctx } = /** @type {CustomEvent} */ (event).detail;
  const source = ctx?.sourceElement;
  if (!(source instanceof HTMLFormElement) || !source.matches('[data-composer]')) return;
  if (ctx.response?.raw?.ok ?? ctx.response?.ok) drafts.delete(source.dataset.composer ?? '');
  else sending = '';
});

onEach('[data-composer]', (/** @type {HTMLFormElement} */ form) => {
  const { id, text, kinds } = partsOf(form);
  const draft = drafts.get(id);
  if (draft && !text.value) {
    text.value = draft.text;
    kinds.value = draft.kind;
    setMacro(form, draft.macro, draft.said);
  }
  if (sending !== id) return;
  sending = '';
  document.querySelector('[data-thread]')?.scrollIntoView({ block: 'end' });
});
