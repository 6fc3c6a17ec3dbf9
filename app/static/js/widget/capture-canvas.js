/**
 * What the steps of a capture share: the limits on a picture, its canvas, and patience.
 */

/** The server's limit on a picture (product.md, I5). */
export const MAX_PIXELS = 24_000_000;
/** The widest canvas that Safari and Chrome both draw. */
export const MAX_SIDE = 16_384;
/** A step that has nothing after this long gives way to the next. */
export const STEP_MS = 10_000;

/**
 * The largest factor at which an area of this size stays within the limits on a picture.
 * @param {number} width
 * @param {number} height
 */
export function largestScale(width, height) {
  return Math.min(Math.sqrt(MAX_PIXELS / (width * height)), MAX_SIDE / width, MAX_SIDE / height);
}

/**
 * @param {CanvasImageSource} source
 * @param {number} width px of the new canvas
 * @param {number} height
 */
export function draw(source, width, height) {
  const canvas = document.createElement('canvas');
  canvas.width = Math.max(1, Math.floor(width));
  canvas.height = Math.max(1, Math.floor(height));
  canvas.getContext('2d')?.drawImage(source, 0, 0, canvas.width, canvas.height);
  return canvas;
}

/**
 * Whether a picture shows one colour only, which is how a blocked rendering comes out.
 * @param {HTMLCanvasElement} canvas
 * @throws {DOMException} when the canvas may not be read
 */
export function isUniform(canvas) {
  // A tenth of the side averages each 10 x 10 px: one letter still moves its average.
  const small = draw(canvas, Math.min(canvas.width, 400), Math.min(canvas.height, 400));
  const pixels = small.getContext('2d')?.getImageData(0, 0, small.width, small.height).data;
  return !pixels || pixels.every((value, at) => Math.abs(value - pixels[at % 4]) <= 1);
}

/**
 * @template T
 * @param {Promise<T>} work
 * @param {number} [ms]
 * @returns {Promise<T>} rejected when `work` is not done in time
 */
export function within(work, ms = STEP_MS) {
  /** @type {ReturnType<typeof setTimeout>} */
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error('late')), ms);
  });
  return Promise.race([work, /** @type {Promise<never>} */ (late)]).finally(() => clearTimeout(timer));
}
