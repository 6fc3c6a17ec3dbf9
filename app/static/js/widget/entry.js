// The widget's first stage: window.Earmark, launcher, events. Loads nothing more before the first
// open, unless a submission waits to be sent.
(() => {
  if (window.Earmark?.open) return;
  const script = /** @type {HTMLScriptElement} */ (
    document.currentScript ?? document.querySelector('script[data-project][src*="/widget.js"]')
  );
  const data = script.dataset;
  const base = script.src.replace(/\/widget\.js.*$/, '');
  const modules = `${base}/static/__EARMARK_BUILD__/js/widget/`;
  const early = window.Earmark;
  const language = (data.locale || document.documentElement.lang || navigator.language).slice(0, 2);
  const words = {
    launcher: 'Feedback',
    ...(language === 'de'
      ? { hide: 'Ausblenden', failed: 'Nicht geladen. Noch einmal?' }
      : { hide: 'Hide', failed: 'Could not load. Try again?' }),
    ...early?.texts?.[language],
  };

  // Important rules of a shadow tree beat those of the page (CSS Cascade 5, 6.1).
  const css = `
:host {
  all: initial !important; display: block !important; position: fixed !important;
  z-index: 2147483647 !important; width: 0 !important; height: 0 !important;
  overflow: visible !important;
}
:host::backdrop { display: none !important; }
.launcher {
  --i: #1a2130; --g: #fff; --s: #eff1f5; --a: #27509b; --m: #bf7600; --e: #141c2529;
  position: fixed; display: flex; color: var(--i); background: var(--g); border-radius: 99px;
  font: 600 14px/20px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
  box-shadow: 0 0 0 1px var(--e), 0 4px 16px var(--e);
}
:host([data-theme=dark]) .launcher {
  --i: #e5e8ee; --g: #171b22; --s: #20252e; --a: #8db0f2; --m: #e8a93a; --e: #fff3;
}
.launcher, .panel {
  button {
    all: unset; display: flex; align-items: center; gap: 8px; padding: 10px 16px; cursor: pointer;
    border-radius: 99px;
  }
  button:hover { background: var(--s); }
  button:focus-visible { outline: 2px solid var(--a); outline-offset: 2px; }
  [aria-busy=true] { opacity: .6; }
  svg { width: 16px; fill: var(--a); }
  path + path { fill: var(--m); }
}
.launcher .hide { padding-inline: 4px 16px; font-weight: 400; }
@media (hover: none) { .launcher button { padding-block: 12px; } }`;

  const bus = new EventTarget();
  const life = new AbortController();
  const signal = life.signal;
  /** @type {Promise<any> | undefined} */
  let panel;
  let theme = data.theme;
  let started = false;

  /** @type {import('./types').App['emit']} */
  const emit = (name, detail) => bus.dispatchEvent(new CustomEvent(name, { detail }));

  // A custom element can tell that the page threw it out.
  const tag = 'earmark-widget';
  if (!customElements.get(tag)) {
    customElements.define(
      tag,
      class extends HTMLElement {
        lost = () => {};
        disconnectedCallback() {
          setTimeout(this.lost);
        }
      },
    );
  }
  const host = /** @type {HTMLElement & {lost: () => void}} */ (document.createElement(tag));
  host.lost = () => {
    if (!host.isConnected && !signal.aborted) place();
  };
  const root = host.attachShadow({ mode: 'open' });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  root.adoptedStyleSheets = [sheet];
  host.popover = 'manual';

  const dark = matchMedia('(prefers-color-scheme: dark)');
  const look = () => {
    host.dataset.theme = /dark|light/.test(theme ?? '') ? theme : dark.matches ? 'dark' : 'light';
  };
  dark.addEventListener('change', look, { signal });

  // A modal dialog makes all else inert, even in the top layer: so the host moves into the
  // dialog and is shown again, above it.
  function place(home = [...document.querySelectorAll('dialog:modal')].pop() ?? document.body) {
    const focused = root.activeElement;
    if (host.parentNode !== home) home.append(host);
    host.inert &&= false;
    if (host.showPopover) {
      if (host.matches(':popover-open')) host.hidePopover();
      host.showPopover();
    }
    if (focused instanceof HTMLElement) focused.focus();
  }
  const observer = new MutationObserver((records) => {
    const dialogs = records.map((record) => record.target).filter((node) => node.nodeName === 'DIALOG');
    const opened = /** @type {Element[]} */ (dialogs).filter((node) => node.matches(':modal')).pop();
    if (host.inert || dialogs[0]) place(opened);
  });

  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', '0 0 16 16');
  for (const shape of ['M3 0H10L15 5V13L12 16H3L1 14V2Z', 'M10 0L15 5H10Z']) {
    const path = document.createElementNS(svg.namespaceURI, 'path');
    path.setAttribute('d', shape);
    svg.append(path);
  }
  const launcher = document.createElement('div');
  const pill = document.createElement('button');
  const hide = document.createElement('button');
  launcher.className = 'launcher';
  launcher.append(pill, hide);
  pill.append(svg, words.launcher);
  pill.ariaHasPopup = 'dialog';
  pill.onclick = () => open();
  hide.className = 'hide';
  hide.textContent = '\u00d7';
  hide.ariaLabel = words.hide;
  hide.onclick = () => {
    launcher.remove();
    stored(() => sessionStorage.setItem('earmark.hidden', '1'));
  };

  // Storage may be blocked.
  function stored(act = () => /** @type {unknown} */ (0)) {
    try {
      return act();
    } catch {
      return null;
    }
  }

  /** @type {import('./types').App} */
  const app = {
    project: data.project, base, modules, host, root, data, emit, launcher, place, signal,
    user: {},
    dress(position, chosen) {
      host.dataset.position = data.position ?? position ?? 'bottom-right';
      const [edge, side] = host.dataset.position.split('-');
      launcher.style.inset = 'auto';
      launcher.style.setProperty(edge, 'var(--earmark-y)');
      launcher.style.setProperty(side, 'var(--earmark-x)');
      theme ??= chosen;
      look();
    },
  };

  /** @type {import('./types').Api['open']} */
  async function open(options) {
    const opener = root.activeElement ?? document.activeElement;
    pill.ariaBusy = 'true';
    try {
      panel ??= import(`${modules}panel.js`);
      await (await panel).open(app, opener, options);
      pill.replaceChildren(svg, words.launcher);
    } catch (error) {
      panel = undefined;
      pill.replaceChildren(svg, words.failed);
      emit('error', { code: 'load_failed', message: String(error) });
    }
    pill.ariaBusy = null;
  }

  /** @type {import('./types').Api} */
  const Earmark = {
    texts: {},
    ...early,
    open,
    close: async () => (await panel)?.close(),
    attach(target) {
      const found = typeof target === 'string' ? document.querySelector(target) : target;
      found?.addEventListener('click', () => open(), { signal });
    },
    identify: (user) => {
      app.user = user ?? {};
    },
    setContext: (state) => {
      app.context = state;
    },
    setTheme: (chosen) => {
      theme = chosen;
      look();
    },
    on(name, listener) {
      const heard = (/** @type {any} */ event) => listener(event.detail);
      bus.addEventListener(name, heard);
      if (name === 'ready' && started) listener(Earmark);
      return () => bus.removeEventListener(name, heard);
    },
    remove() {
      life.abort();
      observer.disconnect();
      host.remove();
      delete window.Earmark;
    },
  };
  window.Earmark = Earmark;

  function start() {
    const [x, y = x] = data.offset?.match(/\d+/g) ?? [24];
    host.style.setProperty('--earmark-x', `${x}px`);
    host.style.setProperty('--earmark-y', `max(${y}px, env(safe-area-inset-bottom))`);
    app.dress();
    const shown = !data.trigger && data.launcher !== 'none';
    if (shown && !stored(() => sessionStorage.getItem('earmark.hidden'))) root.append(launcher);
    document.addEventListener(
      'click',
      (event) => {
        const target = /** @type {Element} */ (event.composedPath()[0]);
        if (data.trigger && target.closest?.(data.trigger)) {
          event.preventDefault();
          open();
        }
      },
      { capture: true, signal },
    );
    observer.observe(document, { subtree: true, attributeFilter: ['open', 'inert'] });
    place();
    started = true;
    emit('ready', Earmark);
    document.dispatchEvent(new CustomEvent('earmark:ready', { detail: Earmark }));
    if (stored(() => localStorage.getItem('earmark.waiting'))) {
      import(`${modules}queue.js`).then((queue) => queue.flush(app), () => 0);
    }
  }
  if (document.body) start();
  else document.addEventListener('DOMContentLoaded', start, { signal });
})();
