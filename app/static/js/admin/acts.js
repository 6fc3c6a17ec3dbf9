// Acts from the list: shown at once, sent, taken back when refused; undone by z or by the toast.
import { announce, on } from './dom.js';
import { noteChange, refreshList, refreshRows } from './refresh.js';
import { post, Refused, UNSURE } from './requests.js';
import { foretell } from './rows-state.js';
import { refuse, say } from './toast.js';

/**
 * @typedef {{ids: string[], filter?: object, version?: number}} Target ids of the rows on the page; with a filter, all
 *   that match; with a version, one that is changed only if nobody has changed it since
 */
/** @typedef {{id: string, ids: string[], whole: boolean}} Made an act that can be undone; `whole`: more than one row */

const KEY = 'earmark-acts';
const MOST_KEPT = 50;
const NOTHING = 'Nothing was changed'; // some of the server's sentences begin so
/** Acts that the server has not answered. */
let open = 0;
/** They are made one after the other, in the order of the keys, so that the last one holds and is undone first. */
let turn = /** @type {Promise<unknown>} */ (Promise.resolve());

export const mayAct = () => document.querySelector('[data-may-change]') !== null;

/**
 * @param {Target} target
 * @param {Record<string, unknown>} values
 */
export async function act(target, values) {
  if (!mayAct() || (!target.ids.length && !target.filter)) return;
  const { settle, takeBack } = foretell(target.ids, values);
  noteChange(target.ids);
  const whole = target.filter !== undefined || target.ids.length > 1;
  const done = await attempt(async () => {
    const made = await post('/admin/api/feedback/bulk', { ...whose(target), set: values });
    if (made.act) keep({ id: made.act, ids: target.ids, whole });
    return made;
  });
  if (done) settle();
  else takeBack();
  if (done) say(done.count ? done.summary : 'Nothing to change', done.act !== null);
  await (whole ? refreshList() : refreshRows(target.ids));
}

/** @param {Target} target */
export async function remove(target) {
  const done = await attempt(() => post('/admin/api/feedback/bulk', { ...whose(target), delete: true }));
  if (!done) return;
  say(done.summary);
  await refreshList();
}

/** @param {string[]} ids those that say the same; the one that was sent first stays */
export async function merge(ids) {
  const done = await attempt(() => post('/admin/api/feedback/merge', { ids }));
  if (!done) return;
  say(done.summary);
  await refreshList();
}

/** @param {Target} target */
function whose({ ids, filter, version }) {
  if (filter) return { filter };
  return version === undefined ? { ids } : { ids, version };
}

/** Undoes the last act of this tab; one that is still on its way is waited for. */
export async function undo() {
  if (open || kept().length) say('Undoing…'); // an act on thousands takes seconds
  let last = /** @type {Made | undefined} */ (undefined);
  const done = await attempt(async () => {
    const acts = kept();
    last = acts.pop();
    store(acts);
    return last ? undoThis(last) : { summary: 'Nothing to undo' };
  });
  if (!done) return;
  say(done.summary);
  if (!last) return;
  const { ids, whole } = /** @type {Made} */ (last);
  noteChange(ids);
  const shown = ids.every((id) => document.getElementById(`row-${id}`));
  await (whole || !shown ? refreshList() : refreshRows(ids));
}

/**
 * Undoes an act; where nobody knows whether it is undone, it can be tried again.
 * @param {Made} made
 */
async function undoThis(made) {
  try {
    return await post(`/admin/api/acts/${made.id}/undo`, {});
  } catch (error) {
    if (error instanceof Refused && error.message === UNSURE) keep(made);
    throw error;
  }
}

/**
 * Makes an act when those before it are made; says why when it is refused.
 * @param {() => Promise<any>} make
 * @returns {Promise<any>} null for one that was refused
 */
async function attempt(make) {
  open += 1;
  const made = turn.then(make);
  turn = made.catch(() => {});
  try {
    return await made;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    const words = said(error.message);
    refuse(words, error.requestId);
    announce(words);
    return null;
  } finally {
    open -= 1;
  }
}

/** @param {string} message why an act was refused, or that nobody knows */
function said(message) {
  if (message === UNSURE) return `${UNSURE} The list shows it as soon as the server answers.`;
  return message.startsWith(NOTHING) ? message : `${NOTHING}. ${message}`;
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
