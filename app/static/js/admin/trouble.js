// What could not be done, or opened, is said in a dialog; a submission that did not come is tried again until the dialog
// is closed. Polls fail silently and ask again, so does what a script draws anew ([data-quiet]), and the list says it itself.
import { keepTrying, stopTrying, tryNow } from './again.js';
import { isList, isOpening, on } from './dom.js';
import { noteChange, refreshRows } from './refresh.js';
import { fetchPart, mayComeLater, UNSURE } from './requests.js';

const AWAY = 'The server did not answer. What you see is as it was.';
const KEPT = 'The page shows it as soon as the server answers; what you wrote is still here.';

document.addEventListener('htmx:response:error', (event) => {
  const { ctx } = /** @type {CustomEvent} */ (event).detail;
  if (asks(ctx.sourceElement) || isList(ctx)) return;
  say(sentence(ctx.text ?? '') || lost(ctx), ctx);
  if (mayComeLater(ctx.response.status)) again(ctx);
});

document.addEventListener('htmx:error', (event) => {
  const { ctx, error } = /** @type {CustomEvent} */ (event).detail;
  if (error?.name === 'AbortError' || asks(ctx?.sourceElement) || isList(ctx)) return;
  say(lost(ctx), ctx);
  if (isChange(ctx)) drawTruth();
  else again(ctx);
});

/** @param {any} ctx */
const isChange = (ctx) => ctx && ctx.request.method !== 'GET';

/** @param {any} ctx a request whose answer was lost */
const lost = (ctx) => (isChange(ctx) ? `${UNSURE} ${KEPT}` : AWAY);

/** @param {any} ctx */
function again(ctx) {
  if (!isOpening(ctx)) return;
  const { sourceElement: source, swap, push, request } = ctx;
  const from = source?.isConnected ? source : undefined;
  const load = () => fetchPart(request.action, { source: from, target: '#detail', swap, push });
  keepTrying('detail', load, tellNext);
}

/** Shows what the server made of a change whose answer was lost, as soon as it answers. */
function drawTruth() {
  const id = document.querySelector('[data-submission]')?.getAttribute('data-submission');
  if (!id) return;
  noteChange([id]);
  refreshRows([id]);
}

/** @param {unknown} element */
function asks(element) {
  return element instanceof Element && element.matches('[data-poll], [data-quiet]');
}

/**
 * The message of an error answer, which is JSON or a page; none of one that a proxy made.
 * @param {string} text
 */
function sentence(text) {
  try {
    return String(JSON.parse(text).error.message);
  } catch {
    const page = new DOMParser().parseFromString(text, 'text/html');
    return page.querySelector('[data-message]')?.textContent ?? '';
  }
}

/**
 * @param {string} words
 * @param {any} ctx
 */
function say(words, ctx) {
  const dialog = document.querySelector('[data-trouble]');
  const line = dialog?.querySelector('[data-trouble-words]');
  const title = dialog?.querySelector('[data-trouble-title]');
  const next = dialog?.querySelector('[data-trouble-next]');
  if (!(dialog instanceof HTMLDialogElement) || !line || !title || !(next instanceof HTMLElement)) return;
  title.textContent = isOpening(ctx) ? 'That did not come' : 'That was not done';
  line.textContent = words;
  next.hidden = true;
  if (!dialog.open) dialog.showModal();
}

/** @param {number | null} left */
function tellNext(left) {
  const next = document.querySelector('[data-trouble-next]');
  const line = next?.querySelector('[data-trouble-when]');
  if (!(next instanceof HTMLElement) || !line) return;
  next.hidden = false;
  line.textContent = left === null ? 'It is tried again when your browser is back online.' : `It is tried again in ${left} s.`;
}

on('click', '[data-trouble-again]', () => tryNow('detail'));

document.querySelector('[data-trouble]')?.addEventListener('close', () => stopTrying('detail'));

document.addEventListener('htmx:after:swap', (event) => {
  const { ctx } = /** @type {CustomEvent} */ (event).detail;
  const dialog = document.querySelector('[data-trouble][open]');
  const next = dialog?.querySelector('[data-trouble-next]:not([hidden])');
  if (isOpening(ctx) && ctx.response.status < 400 && next && dialog instanceof HTMLDialogElement) dialog.close();
});
