// Tells the server the reader's time zone by a cookie; a page whose days began elsewhere is loaded once again.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const YEAR_SECONDS = 365 * 24 * 60 * 60;

if (zone && told() !== zone) {
  // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API is not in every browser we name
  document.cookie = `zone=${zone}; path=/admin; max-age=${YEAR_SECONDS}; samesite=lax`;
  const page = document.querySelector('[data-zone]:not([data-zone-asked])');
  // Where cookies are off, the page would come back the same.
  if (page instanceof HTMLElement && page.dataset.zone !== zone && told() === zone) location.reload();
}

function told() {
  return /(?:^|; )zone=([^;]*)/.exec(document.cookie)?.[1];
}
