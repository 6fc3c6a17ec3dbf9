// What the form asks where the project's settings cannot be had: the words matter more.

/** @type {import('./types').Settings} */
export const settings = {
  project: { key: '', name: location.hostname },
  categories: ['bug', 'idea', 'question', 'praise', 'other'].map((key) => ({ key })),
  ask: { name: 'no', email: 'no', rating: false },
  screenshot: false,
  theme: 'auto',
  position: 'bottom-right',
  texts: {},
  consent: null,
  privacy_url: null,
  max_description: 10000,
  max_screenshot_bytes: 0,
};
