// What the form can do without: the draft, the offer of a picture, paste and drop, and keeping the
// page's shortcuts out. Loaded beside the form; where it fails, the words can still be sent.
import { h } from './dom.js';
import { draftKey, readDraft, writeDraft } from './draft.js';
import { extraSheet } from './extras-style.js';
import { icon } from './icon.js';

/** @typedef {import('./panel.js').Panel} Panel */

const english = {
  picture: 'Mark up this page',
  or: 'or',
  add: 'add a picture',
  later: 'The tools for pictures could not be loaded. Your words can be sent all the same.',
};
const camera = 'M1.5 4.700h3l1.300-2h4.400l1.300 2h3v8.600h-13zM8 6.500a2.300 2.300 0 1 0 .01 0z';

/** @param {Panel} panel */
export async function extend(panel) {
  const { app, t, form, section } = panel;
  t.add({ en: english });
  app.root.adoptedStyleSheets.push(extraSheet());
  offer(panel);
  isolate(section);
  form.addEventListener('input', () => keepDraft(panel));
  section.addEventListener('paste', (event) => given(panel, event, event.clipboardData));
  section.addEventListener('drop', (event) => given(panel, event, event.dataTransfer));
  section.addEventListener('dragover', (event) => event.preventDefault());
  visualViewport?.addEventListener('resize', () => aboveKeyboard(section), { signal: app.signal });
  restore(panel);
}

/** The row that offers a picture. @param {Panel} panel */
export function offer(panel) {
  const { t, row } = panel;
  const take = { type: 'button', class: 'take', click: () => picture(panel, 'mark') };
  const add = { type: 'button', class: 'link', click: () => picture(panel, 'choose') };
  row.className = 'picture';
  row.replaceChildren(
    h('button', take, icon(camera), t('picture')),
    h('span', { class: 'hint' }, t('or'), ' ', h('button', add, t('add'))),
  );
}

/** What is in the form stays for this page until it is sent. @param {Panel} panel @param {boolean} [shot] */
export function keepDraft(panel, shot = Boolean(panel.shot)) {
  const { website, ...draft } = panel.values();
  writeDraft(draftKey(panel.app.project), { ...draft, shot });
}

/** @param {Panel} panel */
export function dropDraft({ app }) {
  writeDraft(draftKey(app.project), null);
}

/** A draft never replaces what was typed while this was being fetched; that is kept from now on. @param {Panel} panel */
function restore(panel) {
  const draft = readDraft(draftKey(panel.app.project));
  if (panel.words.value) keepDraft(panel, draft.shot);
  else panel.fill(draft);
  if (draft.shot) picture(panel, 'restore');
}

/**
 * Does what the picture stage calls by this name.
 * @param {Panel} panel
 * @param {'mark' | 'choose' | 'add' | 'restore'} act
 * @param {File} [file]
 */
async function picture(panel, act, file) {
  if (!panel.settings.screenshot || panel.busy) return;
  panel.changed();
  try {
    const stage = await import('./picture.js');
    await (act === 'add' && file ? stage.add(panel, file) : stage[act](panel, /** @type {File} */ (file)));
  } catch (error) {
    panel.fail('screenshot', panel.t('later'));
    panel.app.emit('error', { code: 'load_failed', message: String(error) });
  }
}

/** @param {Panel} panel @param {Event} event @param {DataTransfer | null} carried */
function given(panel, event, carried) {
  const file = [...(carried?.files ?? [])].find(({ type }) => type.startsWith('image/'));
  if (event.type === 'drop' || file) event.preventDefault();
  if (file) picture(panel, 'add', file);
}

/** What is typed here is no shortcut of the page. @param {HTMLElement} section */
function isolate(section) {
  for (const name of ['keydown', 'keyup', 'keypress', 'paste', 'dragover', 'drop', 'focusin', 'focusout']) {
    section.addEventListener(name, (event) => event.stopPropagation());
  }
}

/** iOS lays the keyboard over what is fixed to the bottom. @param {HTMLElement} section */
function aboveKeyboard(section) {
  const covered = innerHeight - (visualViewport?.height ?? innerHeight);
  section.style.setProperty('--keyboard', `${Math.max(0, covered)}px`);
}
