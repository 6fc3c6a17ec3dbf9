/**
 * Makes a function that runs once the calls have stopped for `wait` ms, with the arguments of the last one.
 * `flush` runs what waits now, `cancel` forgets it.
 * @template {unknown[]} A
 * @param {(...args: A) => void} run
 * @param {number} wait ms
 * @returns {((...args: A) => void) & { flush: () => void, cancel: () => void }}
 */
export function debounce(run, wait) {
  /** @type {A | null} */
  let held = null;
  let timer = 0;
  const cancel = () => {
    clearTimeout(timer);
    held = null;
  };
  const flush = () => {
    const args = held;
    cancel();
    if (args) run(...args);
  };
  const call = (/** @type {A} */ ...args) => {
    clearTimeout(timer);
    held = args;
    timer = window.setTimeout(flush, wait);
  };
  return Object.assign(call, { flush, cancel });
}
