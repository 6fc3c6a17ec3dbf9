// The list while it is loaded anew: its rows' place is held after 200 ms; what failed says so and is tried again, by
// itself and when asked. One that a script draws anew (refresh.js) stays as it is meanwhile.
import { keepTrying, stopTrying } from './again.js';
import { isList, on } from './dom.js';
import { fetchPart, mayComeLater } from './requests.js';
import { placeIn } from './rows.js';

const PATIENCE_MS = 200;
let timer = 0;
/** What was asked for last. @type {{path: string, push: string, headers: object}} */
let wanted = { path: '', push: 'false', headers: {} };
let heldFocus = false;

/** @param {any} ctx */
const isAsked = (ctx) => isList(ctx) && !ctx.sourceElement?.matches('[data-list-head]');
const trouble = () => document.querySelector('[data-list-trouble]');

document.addEventListener('htmx:before:request', (event) => {
  const { ctx } = /** @type {CustomEvent} */ (event).detail;
  if (!isAsked(ctx)) return;
  if (ctx.request.action !== wanted.path) forget();
  const detail = ctx.request.headers['X-Earmark-Detail'];
  wanted = { path: ctx.request.action, push: String(ctx.push ?? 'false'), headers: detail ? { 'X-Earmark-Detail': detail } : {} };
  clearTimeout(timer);
  if (!trouble()) timer = window.setTimeout(() => ctx.target.setAttribute('aria-busy', 'true'), PATIENCE_MS);
});

document.addEventListener('htmx:finally:request', (event) => {
  const { ctx } = /** @type {CustomEvent} */ (event).detail;
  if (!isAsked(ctx)) return;
  clearTimeout(timer);
  ctx.target.removeAttribute('aria-busy');
});

document.addEventListener('htmx:response:error', (event) => {
  const { ctx } = /** @type {CustomEvent} */ (event).detail;
  if (!isAsked(ctx)) return;
  const { status, headers } = ctx.response;
  fail(`The server answered ${status}.`, headers.get('X-Request-ID'), mayComeLater(status));
});

document.addEventListener('htmx:error', (event) => {
  const { ctx, error } = /** @type {CustomEvent} */ (event).detail;
  if (isAsked(ctx) && error?.name !== 'AbortError') fail('The server did not answer.', null, true);
});

/**
 * @param {string} words
 * @param {string | null} requestId
 * @param {boolean} mayCome
 */
function fail(words, requestId, mayCome) {
  const box = trouble() ?? newTrouble();
  const said = box?.querySelector('[data-failed-words]');
  if (!box || !said) return;
  if (said.textContent !== words) said.textContent = words;
  const id = box.querySelector('[data-failed-id]');
  if (id instanceof HTMLElement) id.hidden = !requestId;
  id?.querySelector('code')?.replaceChildren(requestId ?? '');
  if (mayCome) keepTrying('list', load, tellNext);
}

/** @returns {Element | null} with the focus on its button */
function newTrouble() {
  const list = document.getElementById('list');
  const template = list?.querySelector('[data-list-failed]');
  if (!list || !(template instanceof HTMLTemplateElement)) return null;
  const box = document.createElement('div');
  box.setAttribute('data-list-trouble', '');
  box.append(template.content.cloneNode(true));
  list.append(box);
  const again = box.querySelector('[data-list-again]');
  if (again instanceof HTMLElement) again.focus();
  return box;
}

/** @param {number | null} left */
function tellNext(left) {
  const line = trouble()?.querySelector('[data-failed-next]');
  if (line) line.textContent = left === null ? 'It is tried again when your browser is back online.' : `It is tried again in ${left} s.`;
}

function load() {
  const line = trouble()?.querySelector('[data-failed-next]');
  if (line) line.textContent = 'Trying again…';
  // The boxes, so that it is overtaken by what is asked for next.
  const source = document.getElementById('boxes') ?? undefined;
  return fetchPart(wanted.path, { source, target: '#list', swap: 'outerHTML', push: wanted.push, headers: wanted.headers });
}

function forget() {
  stopTrying('list');
  trouble()?.remove();
}

on('click', '[data-list-again]', load);

document.addEventListener('htmx:before:swap', (event) => {
  if (isList(/** @type {CustomEvent} */ (event).detail.ctx)) heldFocus = trouble()?.contains(document.activeElement) ?? false;
});

document.addEventListener('htmx:after:swap', (event) => {
  const { ctx } = /** @type {CustomEvent} */ (event).detail;
  if (!isList(ctx) || ctx.response.status >= 400) return; // one that failed "swaps" as well, nothing
  forget();
  if (heldFocus) placeIn([])?.focus();
  heldFocus = false;
});

// A box chosen from the menu of a narrow window is shown at once, not behind the menu.
document.addEventListener('htmx:after:swap', (event) => {
  const { ctx } = /** @type {CustomEvent} */ (event).detail;
  const rail = document.getElementById('rail');
  if (isList(ctx) && rail?.matches(':popover-open')) rail.hidePopover();
});
