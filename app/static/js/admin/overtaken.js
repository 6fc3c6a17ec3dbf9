// What was asked for last is what is shown: an answer that comes late replaces nothing that was asked for after it.
import { isList, isOpening } from './dom.js';
import { refreshRows } from './refresh.js';

/** The list with nothing open, or the submission, that was asked for last. @type {any} */
let asked = null;
/** Changes that are on their way, and the submission that they are of. @type {WeakMap<object, string>} */
const changes = new WeakMap();

document.addEventListener('htmx:before:request', (event) => {
  const { ctx } = /** @type {CustomEvent} */ (event).detail;
  if (isOpening(ctx) || (isList(ctx) && ctx.request.headers['X-Earmark-Detail'] !== 'keep')) {
    asked?.request.abort();
    asked = ctx;
  } else if (isInDetail(ctx) && ctx.request.method !== 'GET') {
    changes.set(ctx, openId());
  }
});

document.addEventListener('htmx:finally:request', (event) => {
  if (/** @type {CustomEvent} */ (event).detail.ctx === asked) asked = null;
});

document.addEventListener('htmx:before:swap', (event) => {
  const id = changes.get(/** @type {CustomEvent} */ (event).detail.ctx);
  if (id === undefined || id === openId()) return;
  event.preventDefault();
  refreshRows([id]);
});

/** @param {any} ctx */
const isInDetail = (ctx) => ctx?.target instanceof Element && ctx.target.id === 'detail';

const openId = () => document.querySelector('[data-submission]')?.getAttribute('data-submission') ?? '';
