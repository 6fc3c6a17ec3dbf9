/**
 * Runs `found` for each element that matches, now and whenever htmx brings new ones.
 * @template {Element} T
 * @param {string} selector
 * @param {(element: T) => void} found
 * @param {boolean} [beforePaint] in the task that puts them in, for what changes their size; else when all are settled
 */
export function onEach(selector, found, beforePaint = false) {
  const run = () => {
    for (const element of document.querySelectorAll(selector)) found(/** @type {T} */ (element));
  };
  run();
  document.addEventListener(beforePaint ? 'htmx:before:settle' : 'htmx:after:swap', run);
}

/**
 * Listens on the document, for elements that come and go.
 * @template {HTMLElement} T
 * @param {keyof DocumentEventMap} type
 * @param {string} selector
 * @param {(element: T, event: Event) => void} handle
 */
export function on(type, selector, handle) {
  document.addEventListener(type, (event) => {
    const target = event.target instanceof Element ? event.target.closest(selector) : null;
    if (target instanceof HTMLElement) handle(/** @type {T} */ (target), event);
  });
}

/**
 * Says something to screen readers, once.
 * @param {string} words
 */
export function announce(words) {
  const line = document.querySelector('[data-announce]');
  if (line) line.textContent = words;
}

/**
 * Whether a request of htmx brings a list; one for some of its rows does not.
 * @param {any} ctx
 */
export function isList(ctx) {
  return ctx?.target instanceof Element && ctx.target.id === 'list';
}

/**
 * Whether a request of htmx brings another submission into the page; to draw the open one anew is none.
 * @param {any} ctx
 */
export function isOpening(ctx) {
  if (!(ctx?.target instanceof Element) || ctx.target.id !== 'detail') return false;
  return ctx.request.method === 'GET' && !ctx.sourceElement?.matches('[data-quiet]');
}
