// What failed to load is asked for again by itself: after growing pauses while the page is looked at, and at once when
// the browser is back online. In the end it waits for a press, or for the network.

/** Some two minutes: longer than a restart of the server or a tunnel takes. */
const PAUSES_S = [3, 10, 20, 40, 60];

/**
 * @typedef {{load: () => unknown, tell: (left: number | null) => void, tries: number, left: number | null}} Wanted
 *   `left`: seconds until it is asked for; null while it is, and when it is left to the reader
 */
/** By their place in the page. @type {Map<string, Wanted>} */
const wanted = new Map();
let timer = 0;

/**
 * Has what failed loaded again; where it fails again the next pause is longer.
 * @param {string} place
 * @param {() => unknown} load
 * @param {(left: number | null) => void} [tell] says the seconds that are left; null: no longer by itself
 */
export function keepTrying(place, load, tell = () => {}) {
  const tries = wanted.get(place)?.tries ?? 0;
  const left = PAUSES_S[tries] ?? null;
  wanted.set(place, { load, tell, tries: tries + 1, left });
  tell(left);
  timer ||= window.setInterval(tick, 1000);
}

/**
 * It has come, or is no longer wanted.
 * @param {string} place
 */
export function stopTrying(place) {
  wanted.delete(place);
  if (wanted.size) return;
  clearInterval(timer);
  timer = 0;
}

/** @param {string} place */
export function tryNow(place) {
  const one = wanted.get(place);
  if (one) run(one);
}

function tick() {
  if (document.hidden) return;
  for (const one of wanted.values()) {
    if (one.left === null) continue;
    one.left -= 1;
    if (one.left > 0) one.tell(one.left);
    else run(one);
  }
}

/** @param {Wanted} one */
function run(one) {
  one.left = null;
  one.load();
}

window.addEventListener('online', () => {
  for (const one of [...wanted.values()]) {
    one.tries = 0;
    run(one);
  }
});
