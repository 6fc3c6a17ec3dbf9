// time[data-time]: local time for the reader. A short one stays an age and gets a tooltip; a long one is written out.
import { onEach } from './dom.js';

const DAY_MS = 86_400_000;
const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: 'long', timeStyle: 'short' });
const short = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });

onEach('time[data-time]', (/** @type {HTMLTimeElement} */ time) => {
  const moment = new Date(time.dateTime);
  if (time.title || Number.isNaN(moment.getTime())) return;
  time.title = full.format(moment);
  if (time.dataset.time !== 'long') return;
  const past = time.textContent?.includes('UTC, ') ? time.textContent.split('UTC, ')[1] : '';
  const recent = past && Date.now() - moment.getTime() < DAY_MS;
  time.textContent = recent ? `${clock.format(moment)}, ${past}` : short.format(moment);
}, true);
