// Work that waits until its element comes into view.
import { whenIdle } from './idle.js';

// Begun a little before it is seen, so that it stands there when it is.
const MARGIN = '200px';

/** @type {Map<Element, () => void>} */
const waiting = new Map();
/** @type {IntersectionObserver | undefined} */
let observer;

/**
 * Runs `task` once, when `element` is in view or nearly; where the browser cannot tell, when it is idle.
 * @param {Element} element
 * @param {() => void} task
 * @returns {() => void} takes the task back if it has not run yet
 */
export function whenVisible(element, task) {
  if (!('IntersectionObserver' in window)) return whenIdle(task);
  observer ??= new IntersectionObserver(look, { rootMargin: MARGIN });
  waiting.set(element, task);
  observer.observe(element);
  return () => leave(element);
}

/** @param {IntersectionObserverEntry[]} entries */
function look(entries) {
  for (const { target, isIntersecting } of entries) {
    const task = waiting.get(target);
    if (!isIntersecting || !task) continue;
    leave(target);
    task();
  }
}

/** @param {Element} element */
function leave(element) {
  waiting.delete(element);
  observer?.unobserve(element);
}
