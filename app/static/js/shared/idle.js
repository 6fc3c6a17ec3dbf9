// Work for when the browser has nothing better to do: one queue, the urgent first, nothing that holds up the page.

/** @typedef {'high' | 'normal' | 'low'} Priority */

// A page that is busy without end gets to its idle work after this long all the same.
const LONGEST_WAIT_MS = 2000;
// Without requestIdleCallback (Safari): half a frame at 60 Hz, so that the next one is drawn in time.
const SLICE_MS = 8;

/** @type {Record<Priority, Set<() => void>>} */
const waiting = { high: new Set(), normal: new Set(), low: new Set() };
let asked = false;

/**
 * Runs `task` once when the browser is idle: before the less urgent, after what was asked for earlier.
 * @param {() => void} task
 * @param {Priority} [priority]
 * @returns {() => void} takes the task back if it has not run yet
 */
export function whenIdle(task, priority = 'normal') {
  const entry = () => task();
  waiting[priority].add(entry);
  ask();
  return () => {
    waiting[priority].delete(entry);
  };
}

function ask() {
  if (asked) return;
  asked = true;
  if ('requestIdleCallback' in window) requestIdleCallback(work, { timeout: LONGEST_WAIT_MS });
  else setTimeout(() => work(slice()), 1);
}

/** @returns {Pick<IdleDeadline, 'timeRemaining'>} */
function slice() {
  const end = performance.now() + SLICE_MS;
  return { timeRemaining: () => Math.max(0, end - performance.now()) };
}

/**
 * Runs at least one task, then more while there is time. One that fails does not stop the others.
 * @param {Pick<IdleDeadline, 'timeRemaining'>} deadline
 */
function work(deadline) {
  asked = false;
  do {
    const task = take();
    if (!task) return;
    try {
      task();
    } catch (error) {
      reportError(error);
    }
  } while (deadline.timeRemaining() > 0);
  if (waiting.high.size + waiting.normal.size + waiting.low.size) ask();
}

/** @returns {(() => void) | undefined} */
function take() {
  const queue = [waiting.high, waiting.normal, waiting.low].find((tasks) => tasks.size);
  const [first] = queue ?? [];
  if (first) queue?.delete(first);
  return first;
}
