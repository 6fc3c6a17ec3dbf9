// What the browser itself keeps of a visit: how long the page and its parts took, and what held it up.

// Kinds of parts by who asked for them (Resource Timing, initiatorType).
/** @type {Record<string, string>} */
const KINDS = {
  script: 'script',
  link: 'style',
  css: 'style',
  img: 'image',
  image: 'image',
  fetch: 'request',
  xmlhttprequest: 'request',
};
// A task is long from here on, and blocks with what it takes beyond (Long Tasks, section 1).
const LONG_TASK_MS = 50;

/** @type {number[]} */
const tasks = [];
const seesTasks = globalThis.PerformanceObserver?.supportedEntryTypes.includes('longtask') ?? false;
if (seesTasks) {
  const observer = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) tasks.push(duration);
  });
  observer.observe({ type: 'longtask', buffered: true });
}

/**
 * The timings up to now, in ms.
 * @returns {Map<string, number>}
 */
export function measured() {
  return new Map([...loads(), ...parts(), ...heldUp()]);
}

/** @returns {[string, number][]} nothing while the page still loads */
function loads() {
  const [visit] = performance.getEntriesByType('navigation');
  const end = visit instanceof PerformanceNavigationTiming ? visit.loadEventEnd : 0;
  return end > 0 ? [['load', end]] : [];
}

/** The slowest part of each kind. Other sites' parts are theirs. */
function parts() {
  /** @type {Map<string, number>} */
  const slowest = new Map();
  for (const entry of performance.getEntriesByType('resource')) {
    if (!(entry instanceof PerformanceResourceTiming) || !entry.name.startsWith(`${location.origin}/`)) continue;
    const kind = KINDS[entry.initiatorType];
    if (kind) slowest.set(kind, Math.max(slowest.get(kind) ?? 0, entry.duration));
  }
  return slowest;
}

/** @returns {[string, number][]} */
function heldUp() {
  if (!seesTasks) return [];
  const blocked = tasks.reduce((sum, duration) => sum + duration - LONG_TASK_MS, 0);
  /** @type {[string, number][]} */
  const found = [['blocked', Math.max(0, blocked)]];
  if (tasks.length) found.push(['task', Math.max(...tasks)]);
  return found;
}
