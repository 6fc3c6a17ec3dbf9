// What follows the answer: thanks and the link, or what is wrong, what was kept and what to do.
import { h } from './dom.js';
import { dropDraft, keepDraft } from './extras.js';
import { icon } from './icon.js';
import { flush, isTemporary, keep } from './queue.js';

/** @typedef {import('./panel.js').Panel} Panel */
/** @typedef {import('./types').Outgoing} Outgoing */
/** @typedef {import('./types').Answer} Answer */

const english = {
  thanks: 'Thank you.',
  'thanks.name': 'Thank you, {name}.',
  receipt: 'We keep this under {reference}. You can follow it on your own page; no account needed.',
  address: 'Address of your page',
  copy: 'Copy',
  copied: 'Copied',
  follow: 'Follow it here',
  another: 'Send another',
  'later.title': 'Kept, and sent later',
  'later.offline': 'You are offline. This is kept in this browser and sent by itself when you are back.',
  'later.unreachable': 'The server does not answer. This is kept in this browser and sent by itself when it does.',
  'later.storage_unavailable': 'The server cannot take it at the moment. This is kept in this browser and sent by itself.',
  'later.rate_limited.one': 'Much was sent from here in a short time. This is kept in this browser and sent by itself in a minute, or when you come back.',
  'later.rate_limited.other': 'Much was sent from here in a short time. This is kept in this browser and sent by itself in {n} minutes, or when you come back.',
  retry: 'Try now',
  'still.waiting': 'Not yet. It stays kept and is tried again.',
  'error.offline': 'You are offline. What you wrote is still here; send it when you are back.',
  'error.unreachable': 'The server does not answer. What you wrote is still here; try again in a moment.',
  'error.storage_unavailable': 'The server cannot take it at the moment. What you wrote is still here; try again in a moment.',
  'error.rate_limited': 'Much was sent from here in a short time. What you wrote is still here; try again later.',
  'error.payload_too_large': 'This is too large to send. What you wrote is still here; remove the picture or cut it smaller.',
  'error.unsupported_media_type': 'The server could not read the picture. What you wrote is still here; remove the picture or add another.',
  'error.origin_not_allowed': 'This page may not send to {project}. What you wrote is still here; tell its owner another way.',
  'error.unknown_project': 'This form belongs to no project. What you wrote is still here; tell the owner of the page another way.',
  'error.other': 'The server did not take this ({code}). What you wrote is still here; change it or try again.',
  'wrong.description': 'The server did not take these words. Change them, then send again.',
  'wrong.name': 'The server did not take this name. Change it, then send again.',
  'wrong.category': 'This kind is no longer offered. Choose another.',
  'wrong.rating': 'Choose a number from 1 to 5.',
  'wrong.screenshot': 'The server did not take this picture. Remove it or add another, then send again.',
};
const copyIcon = 'M5.500 5.500h8v8h-8zM3 10.500h-.500v-8h8v.500';

/** @param {Panel} panel @param {Outgoing} outgoing @param {Answer} answer */
export async function show(panel, outgoing, answer) {
  const { app, t } = panel;
  t.add({ en: english });
  if (answer.data) {
    app.emit('sent', answer.data);
    await cleared(panel);
    return thank(panel, outgoing, answer.data);
  }
  app.emit('error', { code: codeOf(answer), message: answer.error?.message ?? '', status: answer.status });
  if (isTemporary(answer) && (await keep(app, outgoing, answer))) {
    await cleared(panel);
    return postpone(panel, outgoing, answer);
  }
  explain(panel, answer);
}

/** @param {Answer} answer */
function codeOf({ status, error }) {
  if (status === 0) return navigator.onLine ? 'unreachable' : 'offline';
  if (status === 429) return 'rate_limited';
  if (status >= 500) return 'storage_unavailable';
  return error?.code ?? String(status);
}

/** It is sent, or waits in the queue: the draft has done its work. @param {Panel} panel */
async function cleared(panel) {
  dropDraft(panel);
  panel.form.reset();
  panel.begun_at = Date.now();
  panel.fill();
  if (panel.shot) await (await import('./picture.js')).forget(panel);
}

/** @param {Panel} panel @param {Answer} answer */
function explain(panel, answer) {
  const { t, settings } = panel;
  keepDraft(panel);
  panel.say('');
  const fields = new Set(answer.error?.details?.map(({ field }) => formField(field)));
  const known = [...fields].filter((field) => panel.form.querySelector(`#${field}-error`)).reverse();
  const code = codeOf(answer);
  const text = t.has(`error.${code}`) ? `error.${code}` : 'error.other';
  for (const field of known) panel.fail(field, t(`wrong.${field}`));
  if (!known.length) panel.fail('form', t(text, { code, project: settings.project.name }));
}

/** A field of the contract, as the form names it: reporter.email is email. */
const formField = (field = '') => field.replace(/^reporter\./, '').replace(/[.[].*/, '').replace(/^annotation_coords$/, 'screenshot');

/** @param {Panel} panel @param {Outgoing} outgoing @param {import('./types').Receipt} receipt */
function thank(panel, { fields }, receipt) {
  const { t, app } = panel;
  const name = fields.reporter?.name;
  const href = new URL(receipt.status_url, `${app.base}/`).href;
  const follow = h('a', { class: 'send', href, target: '_blank', rel: 'noopener' }, t('follow'));
  const [before, after] = t('receipt').split('{reference}');
  replace(
    panel,
    name ? t('thanks.name', { name }) : t('thanks'),
    h('p', {}, before, h('b', {}, receipt.reference), after),
    address(panel, href),
    follow,
    h('p', { class: 'small' }, again(panel)),
  );
  follow.focus();
  panel.say(`${t('thanks')} ${t('receipt', { reference: receipt.reference })}`);
}

/** @param {Panel} panel @param {Outgoing} outgoing @param {Answer} answer */
function postpone(panel, outgoing, answer) {
  const { t, app } = panel;
  const sentence = t(`later.${codeOf(answer)}`, { n: Math.max(1, Math.ceil((answer.wait_s || 60) / 60)) });
  const state = h('p', { class: 'small' });
  const retry = h('button', { type: 'button', class: 'send', click: () => flush(app, true) }, t('retry'));
  app.settled = ({ key, ...sent }, later) => {
    if (key !== outgoing.key || !retry.isConnected) return;
    if (later.data) thank(panel, { key, ...sent }, later.data);
    else state.textContent = t(isTemporary(later) ? 'still.waiting' : 'error.other', { code: codeOf(later) });
    if (!later.data) panel.say(state.textContent ?? '');
  };
  replace(panel, t('later.title'), h('p', {}, sentence), h('div', { class: 'go' }, retry), state, h('p', { class: 'small after' }, again(panel)));
  retry.focus();
  panel.say(`${t('later.title')}. ${sentence}`);
}

/** @param {Panel} panel @param {string} title @param {...HTMLElement} rest */
function replace(panel, title, ...rest) {
  panel.body.replaceChildren(h('div', { class: 'over' }, h('h2', {}, title), ...rest));
}

/** @param {Panel} panel */
function again(panel) {
  const click = () => {
    panel.body.replaceChildren(panel.form);
    panel.words.focus();
  };
  return h('button', { type: 'button', class: 'link', click }, panel.t('another'));
}

/** @param {Panel} panel @param {string} href */
function address(panel, href) {
  const { t } = panel;
  const field = h('input', { readonly: true, 'aria-label': t('address') });
  const label = h('span', {}, t('copy'));
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(href);
    } catch {
      // No permission, as in a frame: the older way copies what is selected.
      field.value = href;
      field.select();
      document.execCommand('copy');
    }
    label.textContent = t('copied');
    panel.say(t('copied'));
  };
  field.value = href.replace(/^https?:\/\//, '');
  return h('div', { class: 'address' }, field, h('button', { type: 'button', click: copy }, icon(copyIcon), label));
}
