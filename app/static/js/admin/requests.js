// Asking the JSON API with the session's token, and htmx for parts; failures are sentences.

/** What could not be done: a sentence for people, and the id under which the server logged it. */
export class Refused extends Error {
  /**
   * @param {string} message
   * @param {string} [requestId]
   */
  constructor(message, requestId = '') {
    super(message);
    this.requestId = requestId;
  }
}

const AWAY = 'The server did not answer.';
/** Longer than the largest act takes; it is made in several transactions. */
const TIMEOUT_MS = 60_000;

/**
 * @param {string} path
 * @param {object} body
 * @returns {Promise<any>} the answer's `data`; throws Refused
 */
export async function post(path, body) {
  const headers = { 'Content-Type': 'application/json', 'X-CSRFToken': csrfToken() };
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  let answer;
  try {
    const response = await fetch(path, { method: 'POST', headers, body: JSON.stringify(body), signal });
    answer = await response.json();
  } catch {
    throw new Refused(AWAY);
  }
  if (answer.success) return answer.data;
  throw new Refused(answer.error.message, answer.error.request_id);
}

function csrfToken() {
  const field = document.querySelector('input[name="csrf_token"]');
  return field instanceof HTMLInputElement ? field.value : '';
}

/** How htmx names the list to the server; from a script it names the source's own target. */
const AS_LIST = { 'HX-Target': 'section#list' };

/**
 * Has htmx fetch a part of the page.
 * @param {string} path
 * @param {{source?: Element, target?: string, swap?: string, headers?: object, push?: string}} options
 * @returns {Promise<void>}
 */
export function fetchPart(path, options) {
  const htmx = /** @type {any} */ (window).htmx;
  const headers = options.target === '#list' ? { ...AS_LIST, ...options.headers } : options.headers;
  return htmx.ajax('GET', path, { push: 'false', ...options, headers });
}
