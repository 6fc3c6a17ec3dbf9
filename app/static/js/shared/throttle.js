/**
 * Makes a function that runs at most once in `wait` ms: at the first call at once, then with the arguments of the
 * last call, so that none that came last is lost. `cancel` forgets what waits.
 * @template {unknown[]} A
 * @param {(...args: A) => void} run
 * @param {number} wait ms
 * @returns {((...args: A) => void) & { cancel: () => void }}
 */
export function throttle(run, wait) {
  /** @type {A | null} */
  let held = null;
  let timer = 0;
  const next = () => {
    timer = 0;
    if (!held) return;
    const args = held;
    held = null;
    timer = window.setTimeout(next, wait);
    run(...args);
  };
  const call = (/** @type {A} */ ...args) => {
    held = args;
    if (!timer) next();
  };
  const cancel = () => {
    clearTimeout(timer);
    timer = 0;
    held = null;
  };
  return Object.assign(call, { cancel });
}
