// [data-marks-toggle]: shows or hides the marks of its picture, in the page and in the zoom.
import { on } from './dom.js';

on('click', '[data-marks-toggle]', (button) => {
  const on = button.getAttribute('aria-pressed') !== 'true';
  button.setAttribute('aria-pressed', String(on));
  const label = button.querySelector('span');
  if (label) label.textContent = on ? 'Marks on' : 'Marks off';
  for (const marks of button.closest('[data-picture]')?.querySelectorAll('[data-marks]') ?? []) {
    marks.classList.toggle('marks--off', !on);
  }
});
