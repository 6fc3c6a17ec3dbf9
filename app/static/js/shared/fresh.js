// script[data-fresh]: what happens meanwhile appears by itself. Parts named by [data-fresh-part] are taken from the page
// as the server has it now; a field in which somebody writes is none of them.

/** Somebody who has just come, written or heard something waits for what follows; later a look now and then will do. */
const LIVELY_MS = 120_000;
const SOON_MS = 1_500;
const LATER_MS = 15_000;
/** After a refusal, or while the server is away. */
const REFUSED_MS = 60_000;
const TIMEOUT_MS = 30_000;
const PART = '[data-fresh-part]';

let tag = '';
let livelyUntil = 0;
let timer = 0;
/** What the server has said so far; a script may have changed the page itself. @type {Map<string, string>} */
let said = read(document);

live();
document.addEventListener('input', live);
document.addEventListener('visibilitychange', () => {
  if (document.hidden) return;
  live();
  next(0);
});
next(SOON_MS);

function live() {
  livelyUntil = performance.now() + LIVELY_MS;
}

/** @param {number} delay_ms */
function next(delay_ms) {
  clearTimeout(timer);
  timer = window.setTimeout(look, delay_ms);
}

async function look() {
  if (document.hidden) return; // goes on when it is looked at
  let refused = false;
  try {
    const headers = tag ? { 'If-None-Match': tag } : undefined;
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const response = await fetch(location.pathname + location.search, { headers, cache: 'no-store', signal });
    refused = !response.ok && response.status !== 304;
    if (response.ok) {
      show(new DOMParser().parseFromString(await response.text(), 'text/html'));
      tag = response.headers.get('ETag') ?? '';
    }
  } catch {
    refused = true;
  }
  next(refused ? REFUSED_MS : performance.now() < livelyUntil ? SOON_MS : LATER_MS);
}

/** @param {Document} page */
function show(page) {
  const now = read(page);
  for (const [name, html] of now) {
    if (said.get(name) === html) continue;
    const fresh = page.querySelector(`[data-fresh-part="${name}"]`);
    if (fresh) document.querySelector(`[data-fresh-part="${name}"]`)?.replaceChildren(...fresh.childNodes);
    live();
  }
  said = now;
  document.dispatchEvent(new CustomEvent('earmark:fresh'));
}

/**
 * @param {Document} page
 * @returns {Map<string, string>} the parts by name
 */
function read(page) {
  return new Map([...page.querySelectorAll(PART)].map((part) => [part.getAttribute('data-fresh-part') ?? '', part.innerHTML]));
}
