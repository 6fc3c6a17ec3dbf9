// Asking the JSON API with the session's token, and htmx for parts; failures are sentences.

/** What could not be done: a sentence for people, and the id under which the server logged it. */
export class Refused extends Error {
  /**
   * @param {string} message
   * @param {string} [requestId] none: the server did not answer, and may have done it
   */
  constructor(message, requestId = '') {
    super(message);
    this.requestId = requestId;
  }
}

/** What is said of a change whose answer was lost on the way. */
export const UNSURE = 'The server did not answer, so this may or may not have been done.';
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
    throw new Refused(UNSURE);
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
 * @returns {Promise<boolean>} whether it may come if it is asked for again: the server did not answer, or not now
 */
export async function fetchPart(path, options) {
  const htmx = /** @type {any} */ (window).htmx;
  const headers = options.target === '#list' ? { ...AS_LIST, ...options.headers } : options.headers;
  let isLost = false;
  const noting = async (/** @type {string} */ url, /** @type {RequestInit} */ request) => {
    try {
      const response = await window.fetch(url, request);
      isLost = mayComeLater(response.status);
      return response;
    } catch (error) {
      isLost = /** @type {any} */ (error)?.name !== 'AbortError';
      throw error;
    }
  };
  await htmx.ajax('GET', path, { push: 'false', ...options, headers, fetch: noting });
  return isLost;
}

/**
 * Whether the same request may be answered otherwise in a while.
 * @param {number} status
 */
export function mayComeLater(status) {
  return status >= 500 || status === 429;
}
