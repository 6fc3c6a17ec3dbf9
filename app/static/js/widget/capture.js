/**
 * Takes the picture of the page: rendered without asking; else by the browser's screen capture;
 * else a file from the reporter. Each step falls to the next by itself and says so in a sentence.
 * Refuses to touch the page for good: whatever a step puts on it is gone when the step ends.
 */
import { draw, largestScale } from './capture-canvas.js';
import { display } from './capture-display.js';
import { render } from './capture-render.js';

/** @typedef {{canvas: HTMLCanvasElement, scale: number, method: 'render' | 'display' | 'file'}} Picture scale: image px per CSS px */
/**
 * @typedef {object} Context
 * @property {HTMLElement} host the widget's host element, left out of the picture
 * @property {(key: string, params?: Record<string, string | number>) => string} t
 * @property {string} base address that ends in `/static/BUILD/`
 * @property {(sentence: string) => void} say
 * @property {() => Promise<Blob | null>} pickFile
 */

export const english = {
  'capture.render': 'Taking a picture of this page.',
  'capture.display':
    'This page does not let itself be drawn. Your browser now asks to share this tab, for one picture only.',
  'capture.upload': 'No picture could be taken here. Choose, paste or drop one.',
  'capture.unreadable': 'This file is not a picture that the browser can read. Choose a PNG, JPEG or WebP.',
};

/**
 * @param {Context} ctx
 * @returns {Promise<Picture | null>} null when the reporter gave no picture
 */
export async function capture(ctx) {
  for (const step of [render, display]) {
    try {
      const picture = await step(ctx);
      if (picture) return picture;
    } catch {
      // Every reason (a strict CSP, a refusal, a time-out) has the same cure: the next step.
    }
  }
  ctx.say(ctx.t('capture.upload'));
  return fromFile(ctx);
}

/**
 * @param {Blob} blob an image file
 * @returns {Promise<Picture>}
 * @throws {Error} with the text key `capture.unreadable` as its message
 */
export async function pictureFromBlob(blob) {
  // Decoding by createImageBitmap needs no `img-src blob:` in the page's CSP, an <img> would.
  const bitmap = await createImageBitmap(blob).catch(() => {
    throw new Error('capture.unreadable');
  });
  const fit = Math.min(1, largestScale(bitmap.width, bitmap.height));
  const canvas = draw(bitmap, bitmap.width * fit, bitmap.height * fit);
  bitmap.close();
  return { canvas, scale: fileScale(canvas), method: 'file' };
}

/**
 * @param {Context} ctx
 * @returns {Promise<Picture | null>}
 */
async function fromFile(ctx) {
  for (let blob = await ctx.pickFile(); blob; blob = await ctx.pickFile()) {
    try {
      return await pictureFromBlob(blob);
    } catch {
      ctx.say(ctx.t('capture.unreadable'));
    }
  }
  return null;
}

/**
 * A file does not say its scale. A screenshot of this device has the screen's; anything else is
 * taken to be at most 1,600 CSS px long, so that marks keep a size that can be seen on it.
 * @param {HTMLCanvasElement} canvas
 */
function fileScale(canvas) {
  const ratio = devicePixelRatio || 1;
  const own = [innerWidth, screen.width].some((width) => Math.abs(width * ratio - canvas.width) < 2);
  return own ? ratio : Math.max(1, canvas.width / 1600, canvas.height / 1600);
}
