// form[data-confirm="ID"]: asks in that dialog before the form is sent.
import { on } from './dom.js';

on('submit', 'form[data-confirm]', (form, event) => {
  const dialog = document.getElementById(form.dataset.confirm ?? '');
  if (!(dialog instanceof HTMLDialogElement)) return;
  event.preventDefault();
  dialog.returnValue = '';
  dialog.showModal();
  dialog.addEventListener(
    'close',
    () => {
      if (dialog.returnValue === 'yes') /** @type {HTMLFormElement} */ (form).submit();
    },
    { once: true },
  );
});
