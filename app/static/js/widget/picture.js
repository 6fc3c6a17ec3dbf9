// The reporter's picture: takes it, has it marked up, shows it small, keeps it with the draft.
// What is kept is what would be sent: pixels under a redaction are gone before anything is stored.
import { h } from './dom.js';
import { draftKey } from './draft.js';
import { keepDraft, offer } from './extras.js';
import { get, put, remove } from './store.js';

/** @typedef {import('./panel.js').Panel} Panel */
/** @typedef {import('./types').Shot} Shot */

const thumb_px = { width: 96, height: 84 };
const english = {
  edit: 'Edit',
  remove: 'Remove',
  'marks.zero': 'Picture',
  'marks.one': 'Picture with 1 mark',
  'marks.other': 'Picture with {n} marks',
  'hidden.zero': 'nothing hidden',
  'hidden.one': '1 area hidden',
  'hidden.other': '{n} areas hidden',
  taken: 'The picture is added.',
  removed: 'The picture is removed.',
  choose: 'Choose a picture',
  cancel: 'Cancel',
  'large.screenshot': 'This picture is larger than {max} MB. Cut it smaller or leave it out.',
};

/** @param {Panel} panel */
async function stages(panel) {
  const german = panel.t.locale.startsWith('de');
  const [capture, tools, en, de] = await Promise.all([
    import('./capture.js'),
    import('./annotate.js'),
    import('./annotate-texts.js'),
    german ? import('./annotate-texts-de.js').catch(() => null) : null,
  ]);
  panel.t.add({ en: english });
  panel.t.add({ en: { ...capture.english, ...en.texts }, de: de?.texts ?? {} });
  return { ...capture, ...tools };
}

/** Takes a picture of the page and opens the drawing tools on it. @param {Panel} panel */
export async function mark(panel) {
  const { app, t } = panel;
  const { capture } = await stages(panel);
  const say = (/** @type {string} */ sentence) => {
    panel.say(sentence);
    panel.row.replaceChildren(h('p', { class: 'state' }, sentence));
  };
  const base = new URL('../../', app.modules).href;
  const picture = await capture({ host: app.host, t, base, say, pickFile: () => offerFile(panel) });
  offer(panel);
  if (picture) await edit(panel, { picture, shapes: [], redactions: [], crop: null });
  else focusRow(panel);
}

/** Opens the file chooser. @param {Panel} panel */
export async function choose(panel) {
  const file = await pick(panel);
  if (file) await add(panel, file);
}

/** Takes a picture that was chosen, pasted or dropped; without its file's metadata. @param {Panel} panel @param {Blob} file */
export async function add(panel, file) {
  const { pictureFromBlob } = await stages(panel);
  try {
    const picture = await pictureFromBlob(file);
    const { canvas, scale } = picture;
    const blob = await new Promise((resolve) => canvas.toBlob(resolve, 'image/webp', 0.9));
    const { width, height } = canvas;
    const edit = { picture, shapes: [], redactions: [], crop: null };
    await attach(panel, { blob, width, height, scale, outShapes: [], hidden: 0, edit });
  } catch {
    panel.fail('screenshot', panel.t('capture.unreadable'));
  }
}

/** Puts back what was kept with the draft. @param {Panel} panel */
export async function restore(panel) {
  panel.t.add({ en: english });
  const shot = await get('drafts', draftKey(panel.app.project)).catch(() => null);
  if (!shot || panel.shot) return;
  panel.shot = shot;
  await preview(panel, shot);
}

/** @param {Panel} panel */
export async function forget(panel) {
  panel.shot = panel.outgoing = null;
  offer(panel);
  await remove('drafts', draftKey(panel.app.project)).catch(() => null);
}

/** @param {Panel} panel @param {NonNullable<Shot['edit']>} drawing */
async function edit(panel, drawing) {
  const { app, t } = panel;
  const { annotate } = await stages(panel);
  const theme = app.host.dataset.theme;
  const done = await annotate({ host: app.host, root: app.root, t, theme, ...drawing });
  if (!done) return focusRow(panel);
  const { shapes, redactions, crop, ...result } = done;
  const again = { picture: drawing.picture, shapes, redactions, crop };
  await attach(panel, { ...result, hidden: redactions.length, edit: again });
}

/** After a reload only what would be sent is left to be edited. @param {Panel} panel @param {Shot} shot */
async function reopen(panel, shot) {
  if (shot.edit) return edit(panel, shot.edit);
  const { pictureFromBlob } = await stages(panel);
  const picture = { ...(await pictureFromBlob(shot.blob)), scale: shot.scale };
  return edit(panel, { picture, shapes: shot.outShapes, redactions: [], crop: null });
}

/** @param {Panel} panel @param {Shot} shot */
async function attach(panel, shot) {
  const { t, settings } = panel;
  const max = settings.max_screenshot_bytes;
  panel.changed();
  if (max && shot.blob.size > max) {
    panel.fail('screenshot', t('large.screenshot', { max: Math.floor(max / 2 ** 20) }));
    return;
  }
  panel.shot = shot;
  await preview(panel, shot);
  focusRow(panel);
  panel.say(t('taken'));
  keepDraft(panel);
  const { edit: _, ...kept } = shot;
  await put('drafts', draftKey(panel.app.project), kept).catch(() => null);
}

/** @param {Panel} panel @param {Shot} shot */
async function preview(panel, shot) {
  const { t, row } = panel;
  const act = (/** @type {string} */ label, /** @type {() => unknown} */ click) =>
    h('button', { type: 'button', click }, t(label));
  const small = await thumbnail(shot);
  const facts = `${shot.width} \u00d7 ${shot.height}, ${counted(t, 'hidden', shot.hidden)}`;
  row.className = 'shot';
  row.replaceChildren(
    small,
    h(
      'div',
      {},
      h('p', {}, counted(t, 'marks', shot.outShapes.length)),
      h('p', { class: 'facts' }, facts),
      h('div', { class: 'acts' }, act('edit', () => reopen(panel, shot)), act('remove', () => drop(panel))),
    ),
  );
}

/** @param {Panel} panel */
async function drop(panel) {
  await forget(panel);
  keepDraft(panel);
  panel.say(panel.t('removed'));
  focusRow(panel);
}

/** @param {import('./types').Translate} t @param {string} key @param {number} n */
const counted = (t, key, n) => t(n ? key : `${key}.zero`, n ? { n } : {});

/** The picture with its marks, small. Drawn, because a page's CSP may refuse a blob: image. @param {Shot} shot */
async function thumbnail({ blob, width, height, scale, outShapes }) {
  const bitmap = await createImageBitmap(blob);
  const fit = Math.min(thumb_px.width / width, thumb_px.height / height);
  const canvas = h('canvas', { 'aria-hidden': 'true' });
  const density = 2;
  canvas.width = Math.max(1, Math.round(width * fit * density));
  canvas.height = Math.max(1, Math.round(height * fit * density));
  canvas.style.width = `${canvas.width / density}px`;
  canvas.style.height = `${canvas.height / density}px`;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  context.imageSmoothingQuality = 'high';
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  for (const shape of outShapes) hint(context, shape, fit * density * scale);
  return canvas;
}

/** A mark as it can be seen at this size: its line, in full strength. @param {CanvasRenderingContext2D} context @param {import('./types').Shape} shape @param {number} factor */
function hint(context, { kind, points, color = '#d63a0f' }, factor) {
  const [[x, y], ...rest] = points.map((point) => point.map((value) => value * factor));
  const [endX, endY] = rest[0] ?? [x + 20, y];
  context.strokeStyle = color;
  context.lineWidth = 3;
  context.beginPath();
  context.moveTo(x, y);
  if (kind === 'rectangle' || kind === 'highlight') context.rect(x, y, endX - x, endY - y);
  else for (const [nextX, nextY] of kind === 'text' ? [[endX, endY]] : rest) context.lineTo(nextX, nextY);
  context.stroke();
}

/** @param {Panel} panel @returns {Promise<File | null>} */
function pick(panel) {
  return new Promise((resolve) => {
    const input = h('input', { type: 'file', accept: 'image/png,image/jpeg,image/webp', class: 'aside', tabindex: '-1' });
    const done = (/** @type {File | null} */ file) => {
      input.remove();
      resolve(file);
    };
    input.onchange = () => done(input.files?.[0] ?? null);
    input.oncancel = () => done(null);
    panel.section.append(input);
    input.click();
  });
}

/** A chooser opens only on a click: where the last one is too long ago, asks for one. @param {Panel} panel @returns {Promise<Blob | null>} */
function offerFile(panel) {
  const { t, row } = panel;
  return new Promise((resolve) => {
    const picked = async () => resolve(await pick(panel));
    const choose = h('button', { type: 'button', click: picked }, t('choose'));
    const cancel = h('button', { type: 'button', click: () => resolve(null) }, t('cancel'));
    row.append(h('div', { class: 'acts' }, choose, cancel));
    choose.focus();
  });
}

/** @param {Panel} panel */
function focusRow({ row }) {
  row.querySelector('button')?.focus();
}
