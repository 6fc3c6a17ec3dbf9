// [data-copy="ID"]: puts the text of that element on the clipboard and says so on the button.
import { announce, on } from './dom.js';

const SHOWN_MS = 2000;

on('click', '[data-copy]', async (button) => {
  const source = document.getElementById(button.dataset.copy ?? '');
  const label = button.querySelector('span');
  if (!source || !label) return;
  const done = await copied(source);
  label.dataset.words ??= label.textContent ?? '';
  label.textContent = done ? 'Copied' : 'Press Ctrl C';
  announce(label.textContent);
  setTimeout(() => {
    label.textContent = label.dataset.words ?? '';
  }, SHOWN_MS);
});

/**
 * @param {HTMLElement} source
 * @returns {Promise<boolean>} false where the clipboard is closed; the text is selected then
 */
async function copied(source) {
  try {
    await navigator.clipboard.writeText(source.textContent ?? '');
    return true;
  } catch {
    getSelection()?.selectAllChildren(source);
    return false;
  }
}
