// Submissions that could not be sent wait here, picture included, and go out later with the same
// key, so that the server keeps each once. Tried at the next load, when the browser is back online,
// and when the server said to come back; given up after a week or when the server refuses it.
import { post } from './send.js';
import { all, put, remove } from './store.js';

/** @typedef {import('./types').App} App */
/** @typedef {import('./types').Answer} Answer */
/** @typedef {import('./types').Outgoing & { due: number, tries: number, at: number }} Waiting due and at: epoch ms */

const maxAge_ms = 7 * 24 * 3600e3;
// Short, because a connection may come back between the failure and our listening for it.
const first_s = 2;
const longest_s = 3600;
const flag = 'earmark.waiting';

/** What the same bytes may meet with better luck later. @param {Answer} answer */
export const isTemporary = ({ status }) => [0, 408, 409, 425, 429].includes(status) || status >= 500;

/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;
/** @type {WeakSet<App>} */
const listening = new WeakSet();

/**
 * @param {App} app
 * @param {import('./types').Outgoing} outgoing
 * @param {Answer} answer The one that sends it here.
 * @returns {Promise<boolean>} false where the browser keeps nothing.
 */
export async function keep(app, outgoing, answer) {
  try {
    await put('queue', outgoing.key, delayed({ ...outgoing, due: 0, tries: 0, at: Date.now() }, answer));
    localStorage.setItem(flag, '1');
  } catch {
    return false;
  }
  await plan(app);
  return true;
}

/** Sends what is due; with force also what is not. @param {App} app @param {boolean} [force] */
export async function flush(app, force) {
  const work = () => sendAll(app, Boolean(force));
  // One tab at a time; without locks the key alone keeps it to once.
  if (navigator.locks) await navigator.locks.request('earmark', work);
  else await work();
}

/** @param {App} app @param {boolean} force */
async function sendAll(app, force) {
  for (const waiting of await mine(app)) {
    if (waiting.at < Date.now() - maxAge_ms) await remove('queue', waiting.key);
    else if (force || waiting.due <= Date.now()) await attempt(app, waiting);
  }
  await plan(app);
}

/** @param {App} app @param {Waiting} waiting */
async function attempt(app, waiting) {
  const answer = await post(app.base, waiting);
  if (isTemporary(answer)) {
    await put('queue', waiting.key, delayed(waiting, answer));
  } else {
    await remove('queue', waiting.key);
    app.emit(answer.data ? 'sent' : 'error', answer.data ?? answer.error ?? { code: 'refused' });
  }
  app.settled?.(waiting, answer);
}

/** Sets the alarm for what is due next, and takes down the flag when nothing waits. @param {App} app */
async function plan(app) {
  if (!listening.has(app)) {
    listening.add(app);
    addEventListener('online', () => flush(app, true), { signal: app.signal });
    app.signal.addEventListener('abort', () => clearTimeout(timer));
  }
  clearTimeout(timer);
  const waiting = await mine(app);
  const next = Math.min(...waiting.map(({ due }) => due));
  if (waiting.length) timer = setTimeout(() => flush(app), Math.max(1000, next - Date.now()));
  else if (!(await all('queue')).length) localStorage.removeItem(flag);
}

/** @param {App} app @returns {Promise<Waiting[]>} */
const mine = async ({ project }) => (await all('queue')).filter((one) => one.project === project);

/** Waits as long as the server asked, else twice as long each time. @param {Waiting} waiting @param {Answer} answer */
function delayed(waiting, { wait_s }) {
  const own_s = Math.min(longest_s, first_s * 2 ** waiting.tries);
  return { ...waiting, tries: waiting.tries + 1, due: Date.now() + 1000 * (wait_s || own_s) };
}
