// [data-poll]: nobody asks the server while the page is not looked at.
document.addEventListener('htmx:config:request', (event) => {
  const { ctx } = /** @type {CustomEvent} */ (event).detail;
  const asks = ctx.sourceElement instanceof Element && ctx.sourceElement.hasAttribute('data-poll');
  if (asks && document.hidden) event.preventDefault();
});
