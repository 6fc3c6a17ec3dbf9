/**
 * Step two: one frame of the browser's own screen capture, for pages that cannot be drawn.
 *
 * While the frame is taken, opaque boxes lie over every masked element and blocked ones are
 * hidden; the same boxes are painted into the picture afterwards, for what moved meanwhile. If the
 * reporter picks another window or screen, the boxes on the page still hold; what else that window
 * shows is the reporter's own choice.
 */
import { draw, isUniform, largestScale, within } from './capture-canvas.js';
import { BLOCKED, SOLID, scopes, secretBoxes } from './mask.js';

/** @typedef {import('./capture.js').Context} Context */
/** @typedef {import('./capture.js').Picture} Picture */
/** @typedef {import('./mask.js').Box} Box */
/** @typedef {ReturnType<typeof secretBoxes>} Secrets */

/** A person reads the browser's question; a step's usual time would be too short. */
const PROMPT_MS = 60_000;
/** Two frames at 15 per second, the slowest that tab capture was seen to deliver. */
const SETTLE_MS = 150;

/**
 * @param {Context} ctx
 * @returns {Promise<Picture | null>} null where this browser or frame cannot
 */
export async function display(ctx) {
  const { mediaDevices, userActivation } = navigator;
  // Phones have none. A click that is too long ago would be refused with an error; a frame without
  // `allow="display-capture"` as well, and reported to the page.
  if (!mediaDevices?.getDisplayMedia || userActivation?.isActive === false || isForbidden()) return null;
  const cropper = /** @type {any} */ (globalThis).CropTarget;
  // In a frame the capture shows the page around it, whose secrets we cannot know: cut or leave.
  if (window !== window.top && !cropper) return null;
  ctx.say(ctx.t('capture.display'));
  const target = window === window.top ? null : await cropper.fromElement(document.documentElement);
  const stream = await ask();
  const before = secretBoxes(ctx.host);
  const restore = cover(before, ctx.host);
  try {
    const [track] = stream.getVideoTracks();
    if (target) await within(/** @type {any} */ (track).cropTo(target));
    const canvas = await within(photograph(stream));
    return isUniform(canvas) ? null : masked(canvas, stream, target !== null, [before, secretBoxes(ctx.host)]);
  } finally {
    restore();
    for (const track of stream.getTracks()) track.stop();
  }
}

/** Whether the page around this frame forbids it; only Chromium says so beforehand. */
function isForbidden() {
  const policy = /** @type {any} */ (document).featurePolicy;
  return policy?.allowsFeature('display-capture') === false;
}

/** The browser's question; a stream that comes after its time is stopped at once. */
async function ask() {
  const wish = { video: { displaySurface: 'browser' }, audio: false, preferCurrentTab: true, selfBrowserSurface: 'include' };
  const asked = navigator.mediaDevices.getDisplayMedia(/** @type {DisplayMediaStreamOptions} */ (wish));
  let late = false;
  asked.then((stream) => late && stream.getTracks().forEach((track) => track.stop())).catch(() => undefined);
  return within(asked, PROMPT_MS).catch((reason) => {
    late = true;
    throw reason;
  });
}

/**
 * @param {MediaStream} stream
 * @returns {Promise<HTMLCanvasElement>} a frame that was taken after this call
 */
async function photograph(stream) {
  const video = document.createElement('video');
  video.muted = true;
  video.srcObject = stream;
  await video.play();
  await new Promise((done) => setTimeout(done, SETTLE_MS));
  await nextFrame(video);
  const { videoWidth: width, videoHeight: height } = video;
  const fit = Math.min(1, largestScale(width, height));
  return draw(video, width * fit, height * fit);
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {MediaStream} stream
 * @param {boolean} cropped to this frame's root element
 * @param {Secrets[]} all
 * @returns {Picture}
 */
function masked(canvas, stream, cropped, all) {
  const shown = cropped ? visibleRoot() : new DOMRect(0, 0, innerWidth, innerHeight);
  if (!showsThisPage(stream, canvas, shown)) return { canvas, scale: devicePixelRatio, method: 'display' };
  const scale = canvas.width / shown.width;
  for (const secrets of all) paintOver(canvas, secrets, scale, shown);
  return { canvas, scale, method: 'display' };
}

/**
 * A frame newer than this call; a page at rest sends none, and then the last one is right.
 * @param {HTMLVideoElement} video
 */
function nextFrame(video) {
  return new Promise((done) => {
    video.requestVideoFrameCallback?.(done);
    setTimeout(done, 4 * SETTLE_MS);
  });
}

/** What a crop to the root element shows: its part within the window, without scroll bars. */
function visibleRoot() {
  const { left, top, right, bottom } = document.documentElement.getBoundingClientRect();
  const [x, y] = [Math.max(0, left), Math.max(0, top)];
  return new DOMRect(x, y, Math.min(innerWidth, right) - x, Math.min(innerHeight, bottom) - y);
}

/**
 * Whether the captured surface is this page, told by kind and proportion.
 * @param {MediaStream} stream
 * @param {HTMLCanvasElement} canvas
 * @param {DOMRect} shown
 */
function showsThisPage(stream, canvas, shown) {
  const surface = stream.getVideoTracks()[0]?.getSettings().displaySurface;
  const proportion = canvas.width / canvas.height / (shown.width / shown.height);
  return surface === 'browser' && Math.abs(proportion - 1) < 0.02;
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {Secrets} secrets
 * @param {number} scale px per CSS px
 * @param {DOMRect} shown
 */
function paintOver(canvas, secrets, scale, shown) {
  const pen = canvas.getContext('2d');
  if (!pen) throw new Error('no canvas');
  for (const [colour, boxes] of /** @type {[string, Box[]][]} */ ([[BLOCKED, secrets.blocked], [SOLID, secrets.masked]])) {
    pen.fillStyle = colour;
    for (const { x, y, width, height } of boxes) {
      const [left, top] = [Math.floor((x - shown.x) * scale) - 1, Math.floor((y - shown.y) * scale) - 1];
      pen.fillRect(left, top, Math.ceil(width * scale) + 3, Math.ceil(height * scale) + 3);
    }
  }
}

/**
 * Hides the widget and the blocked elements and lays boxes over the masked ones. Style sheets are
 * adopted, not written into the page: its markup stays as it is, and its CSP has no say.
 * @param {Secrets} secrets
 * @param {HTMLElement} host
 * @returns {() => void} takes all of it back
 */
function cover(secrets, host) {
  const undo = [...scopes()].map(({ root }) => adopt(root, '[data-earmark-block], [data-earmark-block] * { visibility: hidden !important }'));
  const hidden = 'visibility: hidden !important; opacity: 0 !important; transition: none !important';
  if (host.shadowRoot) undo.push(adopt(host.shadowRoot, `:host, * { ${hidden} }`));
  const sheet = document.createElement('div');
  sheet.popover = 'manual';
  const root = sheet.attachShadow({ mode: 'open' });
  adopt(root, `:host { all: initial !important; display: block !important; position: fixed !important; inset: 0 !important;
    width: 100vw !important; height: 100vh !important; z-index: 2147483647 !important; pointer-events: none !important }
    div { position: fixed; background: ${SOLID} }`);
  root.append(...secrets.masked.map(overlay));
  document.documentElement.append(sheet);
  // The top layer lies above the page's own modal dialogs.
  sheet.showPopover?.();
  const ticking = keepChanging(root);
  return () => {
    clearInterval(ticking);
    sheet.remove();
    for (const back of undo) back();
  };
}

/**
 * A page at rest sends no frames, and the first may come seconds late: one pixel in the corner,
 * too faint to be seen, keeps them coming.
 * @param {ShadowRoot} root
 */
function keepChanging(root) {
  const pixel = overlay({ x: 0, y: 0, width: -1, height: -1 });
  root.append(pixel);
  let faint = false;
  return setInterval(() => {
    faint = !faint;
    pixel.style.opacity = faint ? '.004' : '.008';
  }, 40);
}

/** @param {Box} box */
function overlay({ x, y, width, height }) {
  const div = document.createElement('div');
  Object.assign(div.style, { left: `${x - 1}px`, top: `${y - 1}px`, width: `${width + 2}px`, height: `${height + 2}px` });
  return div;
}

/**
 * @param {Document | ShadowRoot} root
 * @param {string} text
 */
function adopt(root, text) {
  // A sheet can only be adopted by the window that made it.
  const view = /** @type {any} */ (root.ownerDocument ?? root).defaultView ?? window;
  /** @type {CSSStyleSheet} */
  const sheet = new view.CSSStyleSheet();
  sheet.replaceSync(text);
  root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet];
  return () => {
    root.adoptedStyleSheets = root.adoptedStyleSheets.filter((other) => other !== sheet);
  };
}
