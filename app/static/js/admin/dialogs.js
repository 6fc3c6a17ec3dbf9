// [data-dialog="ID"] opens a <dialog>; [data-dialog-close] closes the one around it; so does a press beside it.
import { on } from './dom.js';

on('click', '[data-dialog]', (opener, event) => {
  const dialog = document.getElementById(opener.dataset.dialog ?? '');
  if (!(dialog instanceof HTMLDialogElement)) return;
  event.preventDefault();
  dialog.showModal();
});

on('click', '[data-dialog-close]', (closer, event) => {
  const dialog = closer.closest('dialog');
  if (!dialog) return;
  event.preventDefault();
  dialog.close();
});

on('click', 'dialog', (dialog, event) => {
  if (event.target !== dialog) return;
  const { clientX: x, clientY: y } = /** @type {MouseEvent} */ (event);
  const box = dialog.getBoundingClientRect();
  const inside = x >= box.left && x <= box.right && y >= box.top && y <= box.bottom;
  if (!inside) /** @type {HTMLDialogElement} */ (dialog).close();
});
