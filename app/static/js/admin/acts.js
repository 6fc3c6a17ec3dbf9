// Acts from the list: shown at once, sent, taken back when refused; undone by z or by the toast.
import { announce, on } from './dom.js';
import { fetchPart, post, Refused } from './requests.js';
import { focusedRow } from './rows.js';
import { foretell } from './rows-state.js';
import { refuse, say } from './toast.js';

/** @typedef {{ids: string[], filter?: object}} Target ids of the rows on the page; with a filter, all that match */
/** @typedef {{id: string, ids: string[], whole: boolean}} Made an act that can be undone; `whole`: more than one row */

const KEY = 'earmark-acts';
const MOST_KEPT = 50;
/** Acts that are on their way; the next ones are not held up by them. */
let open = 0;
/** Rows that the server may know better. @type {Set<string>} */
const stale = new Set();
let refreshing = /** @type {Promise<void> | null} */ (null);

export const mayAct = () => document.querySelector('[data-may-change]') !== null;

/**
 * @param {Target} target
 * @param {Record<string, unknown>} values
 */
export async function act(target, values) {
  if (!mayAct() || (!target.ids.length && !target.filter)) return;
  const takeBack = foretell(target.ids, values);
  const whose = target.filter ? { filter: target.filter } : { ids: target.ids };
  const whole = target.filter !== undefined || target.ids.length > 1;
  const done = await attempt(() => post('/admin/api/feedback/bulk', { ...whose, set: values }), takeBack);
  if (!done) return;
  if (done.act) keep({ id: done.act, ids: target.ids, whole });
  say(done.count ? done.summary : 'Nothing to change', done.act !== null);
  await (whole ? refreshList() : refreshRows(target.ids));
}

/** @param {Target} target */
export async function remove(target) {
  const whose = target.filter ? { filter: target.filter } : { ids: target.ids };
  const done = await attempt(() => post('/admin/api/feedback/bulk', { ...whose, delete: true }), () => {});
  if (!done) return;
  say(done.summary);
  await refreshList();
}

/** Undoes the last act of this tab. */
export async function undo() {
  const acts = kept();
  const last = acts.pop();
  if (!last) {
    say('Nothing to undo');
    return;
  }
  store(acts);
  const done = await attempt(
    () => post(`/admin/api/acts/${last.id}/undo`, {}),
    () => {},
  );
  if (!done) return;
  say(done.summary);
  const shown = last.ids.every((id) => document.getElementById(`row-${id}`));
  await (last.whole || !shown ? refreshList() : refreshRows(last.ids));
}

/**
 * @param {() => Promise<any>} send
 * @param {() => void} takeBack
 */
async function attempt(send, takeBack) {
  open += 1;
  try {
    return await send();
  } catch (error) {
    takeBack();
    if (!(error instanceof Refused)) throw error;
    refuse(`Nothing was changed. ${error.message}`, error.requestId);
    announce(`Nothing was changed. ${error.message}`);
    return null;
  } finally {
    open -= 1;
  }
}

/**
 * Shows rows, boxes and the open submission as the server has them.
 * @param {string[]} ids
 */
export async function refreshRows(ids) {
  for (const id of ids) stale.add(id);
  if (refreshing) return refreshing;
  // One request at a time, for all that became stale meanwhile: what is asked last is what is shown.
  refreshing = (async () => {
    do {
      const asked = [...stale];
      stale.clear();
      await refreshThese(asked);
    } while (stale.size);
  })().finally(() => {
    refreshing = null;
  });
  return refreshing;
}

/** @param {string[]} ids */
async function refreshThese(ids) {
  const list = document.querySelector('[data-rows-url]');
  if (!(list instanceof HTMLElement)) return;
  const here = ids.filter((id) => document.getElementById(`row-${id}`));
  const base = list.dataset.rowsUrl ?? '';
  await fetchPart(`${base}${base.includes('?') ? '&' : '?'}ids=${here.join(',')}`, { source: list, swap: 'none' });
  refreshOpen(ids);
}

/** Loads the list again; the open submission stays, and the focus goes back to a row. */
export async function refreshList() {
  const list = document.querySelector('[data-list]');
  if (!(list instanceof HTMLElement)) return;
  const at = focusedRow()?.dataset.row;
  const headers = { 'X-Earmark-Detail': 'keep' };
  await fetchPart(list.dataset.list ?? '', { target: '#list', swap: 'outerHTML', headers });
  refreshOpen([]);
  const row = document.querySelector(`[data-row="${at}"]`) ?? document.querySelector('[data-row]');
  if (row instanceof HTMLElement) row.focus();
}

/**
 * Shows the open submission anew, unless somebody writes in it.
 * @param {string[]} ids those that changed; none: perhaps all
 */
export function refreshOpen(ids) {
  const shown = document.querySelector('[data-submission]');
  const id = shown?.getAttribute('data-submission');
  if (!shown || !id || (ids.length && !ids.includes(id)) || isWritten(shown)) return;
  const scrolled = document.querySelector('.detail')?.scrollTop ?? 0;
  const path = `/admin/feedback/${id}${location.search}`;
  fetchPart(path, { target: '#detail', swap: 'innerHTML' }).then(() => {
    document.querySelector('.detail')?.scrollTo(0, scrolled);
  });
}

/**
 * Whether a field of it holds words that were not sent, or the focus is in one.
 * @param {Element} shown
 */
export function isWritten(shown) {
  const fields = shown.querySelectorAll('textarea, input:not([type="hidden"], [type="checkbox"], [type="radio"])');
  return [...fields].some((field) => {
    const { value, defaultValue } = /** @type {HTMLInputElement} */ (field);
    return value !== defaultValue || field === document.activeElement;
  });
}

on('click', '[data-undo]', () => {
  undo();
});

document.addEventListener('earmark:focus-list', () => {
  const row = document.querySelector('[data-row][aria-current="true"], [data-row]');
  if (row instanceof HTMLElement) row.focus();
});

// A change of the open submission by its own controls is an act as well; its answer says so in a header.
document.addEventListener('earmark:act', (event) => {
  const { id, summary, submission } = /** @type {CustomEvent} */ (event).detail;
  keep({ id, ids: [submission], whole: false });
  say(summary, true);
});

// Leaving while an act is on its way would leave it unknown whether it was made.
window.addEventListener('beforeunload', (event) => {
  if (open) event.preventDefault();
});

/** @returns {Made[]} */
function kept() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? '[]');
  } catch {
    return [];
  }
}

/** @param {Made} made */
function keep(made) {
  store([...kept(), made].slice(-MOST_KEPT));
}

/** @param {Made[]} acts */
function store(acts) {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(acts));
  } catch {
    // Without storage, undo reaches no further than the server's own hour by the API.
  }
}
