// [data-ask]: asks before an act, with its exact count in the title and on the button.

/**
 * @param {string} title
 * @param {string} words
 * @param {string} yes
 * @returns {Promise<boolean>}
 */
export function ask(title, words, yes) {
  const dialog = document.querySelector('[data-ask]');
  if (!(dialog instanceof HTMLDialogElement)) return Promise.resolve(false);
  for (const [name, text] of [
    ['title', title],
    ['words', words],
    ['yes', yes],
  ]) {
    const part = dialog.querySelector(`[data-ask-${name}]`);
    if (part) part.textContent = text;
  }
  dialog.returnValue = '';
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes'), { once: true });
  });
}
