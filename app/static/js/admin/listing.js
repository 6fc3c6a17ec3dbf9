// The list while it is loaded anew: its rows' place is held after 200 ms; what failed says so and can be tried again.
import { fetchPart } from './requests.js';
import { isList, on } from './dom.js';

const PATIENCE_MS = 200;
let timer = 0;
/** @type {{path: string, push: string}} */
let wanted = { path: '', push: 'false' };


document.addEventListener('htmx:before:request', (event) => {
  const { ctx } = /** @type {CustomEvent} */ (event).detail;
  if (!isList(ctx)) return;
  wanted = { path: ctx.request.action, push: String(ctx.push ?? 'false') };
  clearTimeout(timer);
  timer = window.setTimeout(() => ctx.target.setAttribute('aria-busy', 'true'), PATIENCE_MS);
});

document.addEventListener('htmx:finally:request', (event) => {
  const { ctx } = /** @type {CustomEvent} */ (event).detail;
  if (!isList(ctx)) return;
  clearTimeout(timer);
  ctx.target.removeAttribute('aria-busy');
});

document.addEventListener('htmx:response:error', (event) => {
  const { ctx } = /** @type {CustomEvent} */ (event).detail;
  if (isList(ctx)) fail(`The server answered ${ctx.response.status}.`, ctx.response.headers.get('X-Request-ID'));
});

document.addEventListener('htmx:error', (event) => {
  const { ctx, error } = /** @type {CustomEvent} */ (event).detail;
  if (isList(ctx) && error?.name !== 'AbortError') fail('The server did not answer.', null);
});

/**
 * @param {string} words
 * @param {string | null} requestId
 */
function fail(words, requestId) {
  const list = document.getElementById('list');
  const template = list?.querySelector('[data-list-failed]');
  if (!list || !(template instanceof HTMLTemplateElement)) return;
  list.querySelector('[data-list-trouble]')?.remove();
  const box = document.createElement('div');
  box.setAttribute('data-list-trouble', '');
  box.append(template.content.cloneNode(true));
  const said = box.querySelector('[data-failed-words]');
  if (said) said.textContent = words;
  const id = box.querySelector('[data-failed-id]');
  if (requestId && id instanceof HTMLElement) {
    id.hidden = false;
    const code = id.querySelector('code');
    if (code) code.textContent = requestId;
  }
  list.append(box);
  const again = box.querySelector('[data-list-again]');
  if (again instanceof HTMLElement) again.focus();
}

on('click', '[data-list-again]', () => {
  document.querySelector('[data-list-trouble]')?.remove();
  fetchPart(wanted.path, { target: '#list', swap: 'outerHTML', push: wanted.push });
});

// A box chosen from the menu of a narrow window is shown at once, not behind the menu.
document.addEventListener('htmx:after:swap', (event) => {
  const { ctx } = /** @type {CustomEvent} */ (event).detail;
  const rail = document.getElementById('rail');
  if (isList(ctx) && rail?.matches(':popover-open')) rail.hidePopover();
});
