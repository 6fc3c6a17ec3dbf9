// [data-secret-show="ID"]: shows a password while its button is pressed in.
import { on, onEach } from './dom.js';

onEach('[data-secret-show]', (/** @type {HTMLElement} */ button) => {
  button.hidden = false;
});

on('click', '[data-secret-show]', (button) => {
  const field = document.getElementById(button.dataset.secretShow ?? '');
  if (!(field instanceof HTMLInputElement)) return;
  const shown = field.type === 'password';
  field.type = shown ? 'text' : 'password';
  button.setAttribute('aria-pressed', String(shown));
  button.textContent = shown ? 'Hide' : 'Show';
  field.focus();
});
