// form[data-export]: fetches the file piece by piece and says how far it has come. Without this the browser
// downloads it by itself.
import { on } from './dom.js';

const EACH_MS = 250;
const MEGABYTE = 1_000_000;
// Pieces are handed to the browser as a Blob, which it may keep on the disk; few are in memory at a time.
const PIECE_BYTES = 8 * MEGABYTE;

on('submit', 'form[data-export]', async (form, event) => {
  event.preventDefault();
  const view = new Progress();
  try {
    await download(/** @type {HTMLFormElement} */ (form), view);
  } catch (error) {
    view.failed(error instanceof DOMException && error.name === 'AbortError');
  }
});

/**
 * @param {HTMLFormElement} form
 * @param {Progress} view
 */
async function download(form, view) {
  const given = /** @type {[string, string][]} */ ([...new FormData(form)]);
  const response = await fetch(`${form.action}?${new URLSearchParams(given)}`, { signal: view.begin() });
  const name = /filename="([^"]+)"/.exec(response.headers.get('Content-Disposition') ?? '')?.[1];
  if (!response.ok || !response.body || !name) {
    form.submit(); // the page says what is wrong
    return;
  }
  view.expect(Number(response.headers.get('X-Export-Rows') ?? 0));
  save(await gathered(response.body, view), name);
  view.done();
}

/**
 * @param {ReadableStream<Uint8Array<ArrayBuffer>>} body
 * @param {Progress} view
 * @returns {Promise<Blob>}
 */
async function gathered(body, view) {
  const reader = body.getReader();
  /** @type {Blob[]} */
  const pieces = [];
  /** @type {Uint8Array<ArrayBuffer>[]} */
  let loose = [];
  let size = 0;
  for (let { done, value } = await reader.read(); !done; { done, value } = await reader.read()) {
    if (!value) continue;
    loose.push(value);
    size += value.length;
    view.add(value);
    if (size < PIECE_BYTES) continue;
    pieces.push(new Blob(loose));
    loose = [];
    size = 0;
  }
  return new Blob([...pieces, ...loose]);
}

/**
 * @param {Blob} blob
 * @param {string} name
 */
function save(blob, name) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** What is said of a running download. */
class Progress {
  #box = /** @type {HTMLElement} */ (document.querySelector('[data-export-progress]'));
  #bar = /** @type {HTMLProgressElement} */ (this.#box.querySelector('progress'));
  #words = /** @type {HTMLElement} */ (this.#box.querySelector('[data-export-words]'));
  #stop = /** @type {HTMLButtonElement} */ (this.#box.querySelector('[data-export-stop]'));
  #title = /** @type {HTMLElement} */ (this.#box.querySelector('h2'));
  #bytes = 0;
  #rows = 0;
  #all = 0;
  #shownAt = 0;

  /** @returns {AbortSignal} of the Stop button */
  begin() {
    const stopping = new AbortController();
    this.#stop.onclick = () => stopping.abort();
    this.#title.textContent = 'Downloading';
    this.#words.textContent = '';
    this.#bar.removeAttribute('value');
    this.#bar.hidden = this.#stop.hidden = this.#box.hidden = false;
    return stopping.signal;
  }

  /** @param {number} rows how many there are; 0 where nobody knows */
  expect(rows) {
    this.#all = rows;
  }

  /** @param {Uint8Array} chunk */
  add(chunk) {
    this.#bytes += chunk.length;
    this.#rows += ends(chunk);
    if (performance.now() - this.#shownAt < EACH_MS) return;
    this.#shownAt = performance.now();
    this.#words.textContent = this.#size();
    // Line ends inside of texts count too, so the bar never claims to be done before it is.
    if (this.#all) this.#bar.value = Math.min(this.#rows / this.#all, 0.99);
  }

  done() {
    this.#finish('Downloaded', this.#size());
  }

  /** @param {boolean} stopped */
  failed(stopped) {
    const words = stopped ? 'Nothing was kept.' : 'The connection ended too early. Nothing was kept; try again.';
    this.#finish(stopped ? 'Stopped' : 'Not downloaded', words);
  }

  /**
   * @param {string} title
   * @param {string} words
   */
  #finish(title, words) {
    this.#title.textContent = title;
    this.#words.textContent = words;
    this.#bar.hidden = this.#stop.hidden = true;
  }

  #size() {
    return `${(this.#bytes / MEGABYTE).toLocaleString(undefined, { maximumFractionDigits: 1 })} MB`;
  }
}

/**
 * Counts lines: both formats end each with a line feed.
 * @param {Uint8Array} chunk
 */
function ends(chunk) {
  let count = 0;
  for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) count += 1;
  return count;
}
