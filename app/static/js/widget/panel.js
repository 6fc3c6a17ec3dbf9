// The form. It can do without extras.js (draft, picture) and outcome.js (thanks, retry).
import { h } from './dom.js';
import { post, randomKey, surroundings } from './send.js';
import { formSheet } from './styles.js';
import { translator } from './texts.js';

/** @type {{ app?: import('./types').App, panel?: Promise<Panel> }} */
let current = {};

/** @type {import('./types').Open} */
export async function open(app, opener, prefill) {
  if (current.app !== app) current = { app, panel: prepare(app) };
  (await current.panel)?.show(opener, prefill);
}

export const close = async () => (await current.panel)?.hide();

/** Waits 4 s for settings. @param {import('./types').App} app */
async function prepare(app) {
  const signal = AbortSignal.timeout(4000);
  const asked = fetch(`${app.base}/api/projects/${app.project}/widget`, { signal });
  const answer = await asked.then((reply) => reply.json()).catch(() => 0);
  const settings = answer.data ?? (await import('./plain.js')).settings;
  const t = await translator(app, settings);
  app.dress(settings.position, settings.theme);
  app.root.adoptedStyleSheets.push(formSheet());
  return new Panel(app, settings, t);
}

export class Panel {
  /** @type {import('./types').Shot | null} */
  shot = null;
  /** @type {import('./types').Outgoing | null} Frozen until something is changed. */
  outgoing = null;
  begun_at = Date.now();
  busy = false;

  /**
   * @param {import('./types').App} app
   * @param {import('./types').Settings} settings
   * @param {import('./types').Translate} t
   */
  constructor(app, settings, t) {
    this.app = app;
    this.settings = settings;
    this.t = t;
    this.status = h('div', { class: 'aside', role: 'status' });
    this.alert = h('p', { class: 'alert', role: 'alert' });
    this.words = h('textarea', { name: 'description', 'aria-required': 'true' });
    this.description = this.#field('description', this.words);
    this.row = h('div', { class: 'picture' });
    this.send = h('button', { class: 'send' }, t('send'));
    this.form = this.#form();
    this.body = h('div', {}, this.form);
    this.section = this.#section();
    this.scrim = h('div', { class: 'scrim', click: () => this.hide() });
    this.fill();
    import('./extras.js').then(({ extend }) => extend(this)).catch(() => this.row.parentElement?.remove());
    this.outcome = import('./outcome.js').catch(() => null);
  }

  /** @param {any} opener @param {any} [prefill] */
  show(opener, prefill) {
    const { app } = this;
    this.fill(prefill);
    if (!this.section.isConnected) {
      this.opener = opener;
      app.launcher.hidden = true;
      app.place();
      app.root.append(this.scrim, this.section);
      app.emit('open');
    }
    this.words.focus();
  }

  hide() {
    if (!this.section.isConnected) return;
    this.section.remove();
    this.scrim.remove();
    this.body.replaceChildren(this.form);
    this.app.launcher.hidden = false;
    this.opener?.focus();
    this.app.emit('close');
  }

  say(sentence = '') {
    this.status.textContent = sentence;
  }

  fail(name = '', text = '') {
    const place = this.form.querySelector(`#${name}-error`);
    const field = this.form.querySelector(`[name=${name}]`);
    (place ?? this.alert).textContent = text;
    field?.setAttribute('aria-invalid', 'true');
    if (field instanceof HTMLElement) field.focus();
  }

  /** @returns {Record<string, any>} */
  values() {
    return Object.fromEntries(new FormData(this.form));
  }

  /** @param {Record<string, any>} [values] */
  fill(values) {
    const category = this.settings.categories[0]?.key;
    const now = this.values();
    for (const [name, value] of Object.entries({ category, ...this.app.user, ...values })) {
      /** @type {any} */
      const control = this.form.elements.namedItem(name);
      if (control && value && (values?.[name] || !now[name])) control.value = value;
    }
    this.changed();
  }

  changed() {
    const { t, form } = this;
    const ask = `ask.${this.values().category}`;
    const left = this.settings.max_description - this.words.value.length;
    this.outgoing = null;
    this.description.label.textContent = t(t.has(ask) ? ask : 'ask');
    this.description.hint.textContent = left < 200 ? t('left', { n: left }) : '';
    this.alert.textContent = '';
    for (const error of form.querySelectorAll('.error')) error.textContent = '';
    for (const field of form.querySelectorAll('[aria-invalid]')) field.ariaInvalid = null;
  }

  #section() {
    const { t, app } = this;
    const shut = { class: 'close', 'aria-label': t('close'), click: () => this.hide() };
    const section = h(
      'section',
      { class: 'panel', role: 'dialog', 'aria-modal': 'true', 'aria-labelledby': 'title', lang: t.locale, dir: t.direction },
      h(
        'div',
        { class: 'top' },
        app.launcher.querySelector('svg')?.cloneNode(true),
        h('h2', { id: 'title' }, t('title', { project: this.settings.project.name })),
        h('button', shut, '\u00d7'),
      ),
      this.body,
      this.status,
    );
    section.style.cssText = app.launcher.style.cssText;
    section.onkeydown = (event) => this.#key(event);
    return section;
  }

  #form() {
    const { t, settings } = this;
    const kinds = settings.categories.map(({ key, label }) => {
      const text = `kind.${key}`;
      return [key, label ?? (t.has(text) ? t(text) : key)];
    });
    const marks = ['1', '2', '3', '4', '5'].map((mark) => [mark, mark]);
    const link = { href: settings.privacy_url, target: '_blank', rel: 'noopener' };
    return h(
      'form',
      {
        novalidate: true,
        input: () => this.changed(),
        submit: (/** @type {Event} */ event) => this.#submit(event),
      },
      this.#choice('category', kinds, 'aside'),
      this.description.box,
      settings.ask.rating && this.#choice('rating', marks),
      settings.screenshot && h('div', {}, this.row, h('p', { class: 'error', id: 'screenshot-error' })),
      this.#asked('name'),
      this.#asked('email'),
      h('input', { name: 'website', class: 'aside', tabindex: '-1', autocomplete: 'off', 'aria-hidden': 'true' }),
      settings.consent && h('p', { class: 'small' }, settings.consent),
      h('div', {}, this.alert, this.send),
      h('p', { class: 'small' }, t('kept'), ' ', settings.privacy_url && h('a', link, t('privacy'))),
    );
  }

  #choice(name = '', options = [['']], style = '') {
    const chips = options.map(([value, label]) =>
      h('label', {}, h('input', { type: 'radio', name, value }), h('span', {}, label)),
    );
    return h(
      'fieldset',
      {},
      h('legend', { class: style }, this.t(name)),
      h('div', { class: 'chips' }, ...chips),
      h('p', { class: 'error', id: `${name}-error` }),
    );
  }

  /** @param {string} name @param {HTMLElement} control @param {string} [text] */
  #field(name, control, text) {
    const label = h('label', { for: name }, this.t(name));
    const hint = h('span', { class: 'hint', id: `${name}-hint` }, text);
    control.id = name;
    control.setAttribute('aria-describedby', `${name}-hint ${name}-error`);
    const error = h('p', { class: 'error', id: `${name}-error` });
    return { label, hint, box: h('div', {}, h('div', { class: 'head' }, label, hint), control, error) };
  }

  /** @param {'name' | 'email'} name */
  #asked(name) {
    const asked = this.settings.ask[name];
    const required = String(asked === 'required');
    const kind = name === 'email' ? { type: name, placeholder: 'name@example.com' } : { type: 'text' };
    const input = h('input', { name, ...kind, autocomplete: name, 'aria-required': required });
    const hint = asked === 'optional' ? this.t(`${name}.optional`) : '';
    return /optional|required/.test(asked) && this.#field(name, input, hint).box;
  }

  #isValid() {
    const { t } = this;
    const { description, email = '' } = this.values();
    const required = [...this.form.querySelectorAll('[aria-required=true]')];
    const empty = required.find(({ id }) => !this.values()[id].trim());
    if (empty) this.fail(empty.id, t('empty'));
    else if (description.length > this.settings.max_description) this.fail('description', t('long'));
    else if (email && !/^\S+@\S+\.\S+$/.test(email)) this.fail('email', t('wrong.email'));
    else return true;
    return false;
  }

  /** The submission, or null when the page's own hook holds it back. */
  async #prepare() {
    const { app, shot } = this;
    const { project, user } = app;
    const { name, email, rating, website, ...values } = this.values();
    const own = {
      ...surroundings(app),
      ...values,
      reporter: { id: user.id, name: name || user.name, email: email || user.email },
      rating: rating && Number(rating),
      annotation_coords: shot?.outShapes,
      screenshot_scale: shot?.scale,
      screenshot: shot?.blob,
    };
    const changed = await window.Earmark?.beforeSubmit?.(own);
    if (changed === false) return null;
    const { screenshot: blob, ...fields } = changed ?? own;
    const key = randomKey();
    const elapsed_ms = Date.now() - this.begun_at;
    return { key, project, blob, fields: { ...fields, project, website, idempotency_key: key, elapsed_ms } };
  }

  /** @param {Event} event */
  async #submit(event) {
    const { app, t, send } = this;
    event.preventDefault();
    if (this.busy || !this.#isValid()) return;
    this.busy = true;
    try {
      this.outgoing ??= await this.#prepare();
      if (!this.outgoing) return;
      app.emit('submit', this.outgoing.fields);
      send.textContent = t('sending');
      this.say(t('sending'));
      const show = (share = 0) => send.style.setProperty('--done', `${share * 100}%`);
      const answer = await post(app.base, this.outgoing, show);
      const outcome = await this.outcome;
      if (outcome) await outcome.show(this, this.outgoing, answer);
      else this.alert.textContent = t(answer.data ? 'sent' : 'failed');
    } finally {
      this.busy = false;
      send.removeAttribute('style');
      send.textContent = t('send');
    }
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    /** @type {NodeListOf<HTMLElement>} */
    const stops = this.section.querySelectorAll('button, a, textarea, input:not([tabindex])');
    const ends = [stops[0], stops[stops.length - 1]];
    if (event.shiftKey) ends.reverse();
    if (event.key === 'Escape') this.hide();
    else if (event.key === 'Tab' && this.app.root.activeElement === ends[1]) ends[0].focus();
    else return;
    event.preventDefault();
  }
}
