// time[datetime]: the server writes it in UTC, for nobody told it the reader's zone; here it is the reader's own time.

const DAY_MS = 86_400_000;
/** The page's language, as the reader's country writes it. */
const page = document.documentElement.lang;
const locale = navigator.languages.find((own) => own.split('-')[0] === page.split('-')[0]) ?? (page || undefined);
const clock = new Intl.DateTimeFormat(locale, { timeStyle: 'short' });
const full = new Intl.DateTimeFormat(locale, { dateStyle: 'long', timeStyle: 'short' });
const days = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' });
/** @type {WeakSet<Element>} */
const written = new WeakSet();

show();
document.addEventListener('earmark:fresh', show);

function show() {
  for (const time of document.querySelectorAll('time[datetime]')) {
    const moment = new Date(/** @type {HTMLTimeElement} */ (time).dateTime);
    if (written.has(time) || Number.isNaN(moment.getTime())) continue;
    written.add(time);
    time.textContent = wordsOf(moment);
    time.setAttribute('title', full.format(moment));
  }
}

/** @param {Date} moment */
function wordsOf(moment) {
  const ago = Math.round((midnight(new Date()) - midnight(moment)) / DAY_MS);
  return ago === 0 || ago === 1 ? `${days.format(-ago, 'day')}, ${clock.format(moment)}` : full.format(moment);
}

/** @param {Date} moment */
function midnight(moment) {
  return new Date(moment.getFullYear(), moment.getMonth(), moment.getDate()).getTime();
}
