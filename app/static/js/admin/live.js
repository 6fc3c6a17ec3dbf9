// [data-live]: hears what happens and shows it without moving what is read. One tab of a browser listens for
// all of them; where that cannot be, each does while it is looked at. Without a stream it asks now and then.
import { announce } from './dom.js';
import { isInUse, refreshOpen, refreshRows } from './refresh.js';

/** @typedef {{type: string, id: string | null, by?: string, by_id?: string | null, what?: string}} News */

const EVENTS = ['submission', 'update', 'message', 'screenshot'];
/** News in quick succession are shown as one; not so long that one would wait for it. */
const GATHER_MS = 250;
const POLL_MS = 10_000;
/** How long a refused stream is left alone. */
const RETRY_MS = 30_000;

const root = document.querySelector('[data-live]');
const channel = new BroadcastChannel('earmark-live');
/** @type {News[]} */
let gathered = [];
let timer = 0;
let polling = 0;

if (root instanceof HTMLElement) listen(root.dataset.live ?? '');

channel.addEventListener('message', ({ data }) => take(data));

/** @param {string} url */
function listen(url) {
  if (navigator.locks) {
    navigator.locks.request('earmark-live', () => new Promise(() => connect(url)));
    return;
  }
  // Without locks (plain http from another machine) a hidden tab gives its connection back.
  let source = connect(url);
  document.addEventListener('visibilitychange', () => {
    source.close();
    if (!document.hidden) source = connect(url);
  });
}

/**
 * @param {string} url
 * @returns {EventSource}
 */
function connect(url) {
  const source = new EventSource(url);
  source.addEventListener('open', () => {
    if (polling) lookAround(); // a new stream tells nothing of what was before it
    poll(false);
  });
  source.addEventListener('error', () => {
    if (source.readyState !== EventSource.CLOSED) return; // it connects again by itself
    poll(true);
    setTimeout(() => connect(url), RETRY_MS);
  });
  for (const type of EVENTS) {
    source.addEventListener(type, (event) => {
      const news = { type, ...JSON.parse(/** @type {MessageEvent} */ (event).data) };
      channel.postMessage(news);
      take(news);
    });
  }
  return source;
}

/** @param {boolean} on */
function poll(on) {
  clearInterval(polling);
  polling = on ? window.setInterval(() => document.hidden || lookAround(), POLL_MS) : 0;
}

/** Anything may have happened. */
function lookAround() {
  take({ type: 'submission', id: null });
  take({ type: 'update', id: null });
}

/** @param {News} news */
function take(news) {
  gathered.push(news);
  if (!timer) timer = window.setTimeout(show, GATHER_MS);
}

function show() {
  const news = gathered;
  gathered = [];
  timer = 0;
  if (news.some(({ type }) => type === 'submission')) {
    document.getElementById('arrivals')?.dispatchEvent(new CustomEvent('earmark:arrivals'));
  }
  document.body.dispatchEvent(new CustomEvent('earmark:counts'));
  const open = document.querySelector('[data-submission]');
  const changed = news.filter((each) => each.type !== 'submission' && !showPicture(open, each));
  const own = changed.findLast(({ id, by_id: by }) => id && id === open?.getAttribute('data-submission') && by !== me());
  if (open && own && isInUse(open)) tellOfChange(open, own);
  const ids = changed.some(({ id }) => id === null) ? shownIds() : [...new Set(changed.map(({ id }) => id ?? ''))];
  if (document.querySelector('[data-rows-url]')) refreshRows(ids);
  else if (own) refreshOpen(ids);
}

/**
 * Has the open submission show its picture that was on its way; its row comes with it.
 * @param {Element | null} open
 * @param {News} news
 * @returns {boolean} whether that was all there is to it
 */
function showPicture(open, { type, id }) {
  const waiting = open?.querySelector('#picture[data-poll]');
  if (type !== 'screenshot' || !waiting || id !== open?.getAttribute('data-submission')) return false;
  waiting.dispatchEvent(new CustomEvent('earmark:picture'));
  return true;
}

const me = () => (root instanceof HTMLElement ? root.dataset.me : '');

/** @returns {string[]} */
const shownIds = () => [...document.querySelectorAll('[data-row]')].map((row) => row.getAttribute('data-row') ?? '');

/**
 * Says that somebody changed what is being written about; it is shown when asked for.
 * @param {Element} open
 * @param {News} news
 */
function tellOfChange(open, { by, type }) {
  const words = type === 'message' ? `${by ?? 'Somebody'} has written here.` : `${by ?? 'Somebody'} has changed this.`;
  let bar = open.querySelector('[data-changed]');
  if (!bar) {
    bar = document.createElement('p');
    bar.className = 'changed';
    bar.setAttribute('data-changed', '');
    bar.append(document.createElement('span'), button());
    open.append(bar);
  }
  const said = bar.querySelector('span');
  if (said) said.textContent = words;
  announce(words);
}

function button() {
  const made = document.createElement('button');
  made.type = 'button';
  made.className = 'button';
  made.textContent = 'Show it';
  made.addEventListener('click', () => {
    made.closest('[data-changed]')?.remove();
    refreshOpen([]);
  });
  return made;
}
