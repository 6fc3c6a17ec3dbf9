// script[data-vitals="PERCENT"]: of 100 visits so many measure themselves and say it when the page is left.
import { whenIdle } from './idle.js';
import { measured } from './measured.js';

const ADDRESS = '/api/performance/vitals';
// What took longer slept meanwhile; the server takes no more (app/blueprints/performance/timings.py).
const MOST_MS = 600_000;
const LIBRARY = '../../vendor/web-vitals-6.2.3/web-vitals.js';

/** @typedef {{ name: string, value: number }} Vital */
/** @typedef {(say: (vital: Vital) => void) => void} Listen */
/** @typedef {Record<'onCLS' | 'onFCP' | 'onINP' | 'onLCP' | 'onTTFB', Listen>} Library */

const script = document.querySelector('script[data-vitals]');
const percent = Number(script?.getAttribute('data-vitals') ?? 0);
// The page that was loaded; a swap may change the address before it is left.
const page = location.pathname;
/** @type {Map<string, number>} */
const vitals = new Map();

if (Math.random() * 100 < percent) whenIdle(watch, 'low');

async function watch() {
  // A page that was opened in the background is not waited for by anybody.
  if (document.hidden) return;
  const library = await loaded();
  if (library) for (const on of listeners(library)) on(note);
  // The library says its last values while this event goes down the tree; here it has come up again. Not pagehide,
  // which comes before it: the shifts were missing then.
  addEventListener('visibilitychange', leave);
}

/** @returns {Promise<Library | null>} null where it could not be loaded; what needs no library is said then */
async function loaded() {
  try {
    return await import(new URL(LIBRARY, import.meta.url).href);
  } catch {
    return null;
  }
}

/** @param {Library} library */
function listeners({ onCLS, onFCP, onINP, onLCP, onTTFB }) {
  return [onCLS, onFCP, onINP, onLCP, onTTFB];
}

/** @param {Vital} vital */
function note({ name, value }) {
  vitals.set(name, value);
}

/** Says everything once: a visit is one value in each figure, however often the tab is looked at. */
function leave() {
  if (!document.hidden) return;
  removeEventListener('visibilitychange', leave);
  const all = [...vitals, ...measured()].filter(([, value]) => value <= MOST_MS);
  const timings = all.map(([metric, value]) => ({ metric, value: Math.round(value * 1000) / 1000 }));
  if (timings.length) send(JSON.stringify({ page, timings }));
}

/** @param {string} body */
function send(body) {
  if (navigator.sendBeacon?.(ADDRESS, body)) return;
  fetch(ADDRESS, { method: 'POST', body, keepalive: true }).catch(() => {});
}
