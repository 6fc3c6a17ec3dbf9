// [data-download-marked="NAME"]: saves the picture with its marks drawn into it, at the picture's full size.
import { on } from './dom.js';

on('click', '[data-download-marked]', async (button) => {
  const picture = button.closest('[data-picture]');
  const image = picture?.querySelector('img');
  const marks = picture?.querySelector('[data-marks]');
  if (!image || !marks) return;
  await image.decode();
  const blob = await drawn(image, await marksImage(marks, image));
  if (blob) save(blob, button.dataset.downloadMarked ?? 'picture.png');
});

/**
 * @param {Element} marks the SVG over the picture; it carries no style of the page's
 * @param {HTMLImageElement} image
 * @returns {Promise<HTMLImageElement>}
 */
async function marksImage(marks, image) {
  const copy = /** @type {Element} */ (marks.cloneNode(true));
  copy.removeAttribute('class');
  copy.setAttribute('width', String(image.naturalWidth));
  copy.setAttribute('height', String(image.naturalHeight));
  const text = new XMLSerializer().serializeToString(copy);
  const url = URL.createObjectURL(new Blob([text], { type: 'image/svg+xml' }));
  const drawing = new Image();
  drawing.src = url;
  await drawing.decode();
  URL.revokeObjectURL(url);
  return drawing;
}

/**
 * @param {HTMLImageElement} image
 * @param {HTMLImageElement} marks
 * @returns {Promise<Blob | null>}
 */
function drawn(image, marks) {
  const canvas = document.createElement('canvas');
  canvas.width = image.naturalWidth;
  canvas.height = image.naturalHeight;
  const context = canvas.getContext('2d');
  context?.drawImage(image, 0, 0);
  context?.drawImage(marks, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve) => {
    canvas.toBlob(resolve, 'image/png');
  });
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
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
