// The form's words, each replaceable by project or page; n takes the plural form.

const english = {
  title: 'Tell {project}',
  close: 'Close',
  category: 'Kind',
  'kind.bug': 'Bug',
  'kind.idea': 'Idea',
  'kind.question': 'Question',
  'kind.praise': 'Praise',
  'kind.other': 'Other',
  'ask.bug': 'What went wrong?',
  'ask.idea': 'What would help?',
  'ask.question': 'What would you like to know?',
  'ask.praise': 'What do you like?',
  ask: 'What is on your mind?',
  left: 'Characters left: {n}',
  rating: 'How is it, from 1 (poor) to 5 (very good)?',
  name: 'Name',
  'name.optional': 'optional',
  email: 'E-mail',
  'email.optional': 'only if you want an answer',
  send: 'Send',
  sending: 'Sending',
  sent: 'Thank you. It has arrived.',
  failed: 'Not sent. What you wrote is still here.',
  kept: 'What you write is kept on this page until you send it. No cookies.',
  privacy: 'What happens to it',
  empty: 'Fill this in first.',
  long: 'Make this shorter first.',
  'wrong.email': 'An e-mail address looks like name@example.com.',
};

/** The first known language of: script tag, project, page, browser. @type {import('./types').Translator} */
export async function translator({ data }, settings) {
  const own = { en: {}, de: {}, ...settings.texts, ...window.Earmark?.texts };
  const wished = [data.locale, settings.locale, document.documentElement.lang, ...navigator.languages];
  const locale = wished.flatMap((tag = '') => [tag, tag?.slice(0, 2)]).find((tag) => tag && tag in own) ?? 'en';
  const language = locale.slice(0, 2);
  const german = language === 'de' ? await import('./texts-de.js').catch(() => null) : null;
  const replaced = [settings.texts, window.Earmark?.texts].flatMap((texts) => [texts?.[language], texts?.[locale]]);
  /** @type {import('./types').Texts} */
  let words = Object.assign({}, english, german?.texts, ...replaced);
  const plural = new Intl.PluralRules(locale);

  /** @type {import('./types').Translate} */
  const t = (key, params = {}) => {
    const form = 'n' in params ? `.${plural.select(Number(params.n))}` : '';
    const text = words[key + form] ?? words[`${key}.other`] ?? words[key] ?? key;
    return text.replace(/\{(\w+)\}/g, (whole, name) => `${params[name] ?? whole}`);
  };
  t.locale = locale;
  t.direction = /^(ar|fa|he|ur)/.test(locale) ? 'rtl' : 'ltr';
  t.has = (key) => key in words;
  t.add = (texts) => {
    words = { ...texts.en, ...texts[language], ...words };
  };
  return t;
}
