// [data-theme-next]: light, dark, or as the system wishes; kept in this browser.
import { on, onEach } from './dom.js';

const KEY = 'earmark-theme';
const WORDS = { auto: 'Theme: as the system', light: 'Theme: light', dark: 'Theme: dark' };
/** @typedef {keyof typeof WORDS} Theme */
/** @type {Record<Theme, Theme>} */
const NEXT = { auto: 'light', light: 'dark', dark: 'auto' };

/** @returns {Theme} */
const current = () => /** @type {Theme} */ (document.documentElement.dataset.theme ?? 'auto');

onEach('[data-theme-next]', write);

on('click', '[data-theme-next]', (button) => {
  const theme = NEXT[current()];
  if (theme === 'auto') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // Not kept then; the page has it until it is left.
  }
  write(button);
});

/** @param {Element} button */
function write(button) {
  const label = button.querySelector('span');
  if (label) label.textContent = WORDS[current()];
}
