// What could not be done is said in a dialog. Polls fail silently and ask again, so does what a script draws anew
// ([data-quiet]), and the list says it itself.
import { isList } from './dom.js';

const OFFLINE = 'The server did not answer. Nothing was changed; what you see is as it was. Try again.';

document.addEventListener('htmx:response:error', (event) => {
  const { ctx } = /** @type {CustomEvent} */ (event).detail;
  if (!asks(ctx.sourceElement) && !isList(ctx)) say(sentence(ctx.text ?? ''));
});

document.addEventListener('htmx:error', (event) => {
  const { ctx, error } = /** @type {CustomEvent} */ (event).detail;
  if (error?.name !== 'AbortError' && !asks(ctx?.sourceElement) && !isList(ctx)) say(OFFLINE);
});

/** @param {unknown} element */
function asks(element) {
  return element instanceof Element && element.matches('[data-poll], [data-quiet]');
}

/**
 * The message of an error answer, which is JSON or a page.
 * @param {string} text
 */
function sentence(text) {
  try {
    return String(JSON.parse(text).error.message);
  } catch {
    const page = new DOMParser().parseFromString(text, 'text/html');
    return page.querySelector('[data-message]')?.textContent ?? OFFLINE;
  }
}

/** @param {string} words */
function say(words) {
  const dialog = document.querySelector('[data-trouble]');
  const line = dialog?.querySelector('[data-trouble-words]');
  if (!(dialog instanceof HTMLDialogElement) || !line) return;
  line.textContent = words;
  if (!dialog.open) dialog.showModal();
}
