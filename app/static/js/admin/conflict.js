// An edit that somebody overtook (409): once that is read, the submission is shown as it is now. Notes keep what was typed.
let overtaken = false;

document.addEventListener('htmx:response:error', (event) => {
  const { ctx } = /** @type {CustomEvent} */ (event).detail;
  const source = ctx?.sourceElement;
  if (!(source instanceof Element) || ctx.response?.status !== 409) return;
  overtaken = source.closest('[data-submission]') !== null && !source.closest('[data-notes]');
});

document.querySelector('[data-trouble]')?.addEventListener('close', () => {
  if (!overtaken) return;
  overtaken = false;
  const htmx = /** @type {any} */ (window).htmx;
  htmx.ajax('GET', location.href, { target: '#detail', swap: 'innerHTML' });
});
