// Controls that only work with scripts are hidden in the HTML and shown here.
import { onEach } from './dom.js';

const SCRIPTED = '[data-script-only], [data-copy], [data-keys-open], [data-theme-next], [data-download-marked]';

onEach(SCRIPTED, (/** @type {HTMLElement} */ element) => {
  if (!element.hidden) return;
  element.hidden = false;
  if (element.hasAttribute('autofocus') && document.activeElement === document.body) element.focus();
}, true);
