// Constructed sheets: CSP may refuse <style>.

/** From css/tokens.css. */
export const tokens = `
:host {
  color-scheme: light;
  --font-ui: system-ui, -apple-system, "Segoe UI", Roboto, Inter, "Noto Sans", "Helvetica Neue", Arial, sans-serif;
  --radius: 6px;
  --radius-overlay: 10px;
  --motion: 120ms ease-out;
  --shadow-float: 0 0 0 1px rgb(20 28 45 / .08), 0 8px 28px rgb(20 28 45 / .16);
  --surface: #ffffff;
  --sunken: #eff1f5;
  --line: #e2e5eb;
  --line-control: #838c9c;
  --ink: #1a2130;
  --ink-2: #4a5364;
  --ink-3: #626b7c;
  --accent: #27509b;
  --accent-hover: #1f4284;
  --on-accent: #ffffff;
  --accent-soft: #e7eefa;
  --accent-ink: #21468a;
  --focus: #27509b;
  --mark: #bf7600;
  --bad: #b3271e;
  --bad-soft: #fcebe9;
}
:host([data-theme="dark"]) {
  color-scheme: dark;
  --shadow-float: 0 0 0 1px rgb(255 255 255 / .09), 0 10px 32px rgb(0 0 0 / .55);
  --surface: #171b22;
  --sunken: #20252e;
  --line: #282e39;
  --line-control: #6b7587;
  --ink: #e5e8ee;
  --ink-2: #b2bac7;
  --ink-3: #8f98a8;
  --accent: #8db0f2;
  --accent-hover: #a6c2f7;
  --on-accent: #0e1a33;
  --accent-soft: #1e2b45;
  --accent-ink: #a3c0f7;
  --focus: #8db0f2;
  --mark: #e8a93a;
  --bad: #f28b82;
  --bad-soft: #331c1b;
}`;

/** @param {string} cssText */
export function sheet(cssText) {
  const made = new CSSStyleSheet();
  made.replaceSync(cssText);
  return made;
}

const form = `
.panel {
  &, * { box-sizing: border-box; margin: 0; }
  --s: var(--sunken); --a: var(--focus); --m: var(--mark);
  position: fixed; width: 380px; padding: 20px; overflow: auto;
  max-height: calc(100dvh - var(--earmark-y) - 12px); font: 15px/22px var(--font-ui);
  color: var(--ink); background: var(--surface); border-radius: var(--radius-overlay);
  box-shadow: var(--shadow-float); overflow-wrap: anywhere; animation: rise var(--motion);
  :is(.error, .alert):empty { display: none; }
  form { display: grid; gap: 16px; }
  .top { display: flex; align-items: center; gap: 10px; margin-bottom: 16px; }
  h2 { flex: 1; font: 600 16px/22px var(--font-ui); }
  button { padding: 0; border-radius: var(--radius); }
  textarea, [type=email], [type=text] {
    font: inherit; color: inherit; display: block; width: 100%; height: 38px; padding: 7px 12px;
    background: var(--surface); border: 1px solid var(--line-control); border-radius: var(--radius);
    &:focus { border-color: var(--focus); outline: 2px solid var(--focus); }
  }
  textarea { height: 112px; padding-block: 9px; resize: vertical; }
  a:focus-visible, :focus-visible + span { outline: 2px solid var(--focus); outline-offset: 2px; }
  [aria-invalid=true] { border-color: var(--bad); }
  .close { padding: 0 8px; margin: -8px; color: var(--ink-2); font-size: 24px; line-height: 36px; }
  fieldset { border: 0; padding: 0; min-width: 0; }
  legend, .head { padding: 0; margin-bottom: 4px; font-size: 14px; line-height: 20px; }
  .head { display: flex; justify-content: space-between; }
  .chips { display: flex; flex-wrap: wrap; gap: 5px; }
  .chips label { position: relative; }
  .chips input { position: absolute; inset: 0; opacity: 0; cursor: pointer; }
  .chips span {
    display: grid; place-items: center; min-height: 32px; min-width: 46px; padding: 0 9px;
    border: 1px solid var(--line-control); border-radius: 99px; color: var(--ink-2);
    font-size: 14px; line-height: 20px;
  }
  .chips :hover + span { background: var(--sunken); }
  .chips :checked + span {
    color: var(--accent-ink); background: var(--accent-soft); border-color: var(--accent);
    box-shadow: inset 0 0 0 1px var(--accent); font-weight: 600;
  }
  .hint, .small { color: var(--ink-3); font-size: 12.5px; line-height: 18px; }
  .head .hint { font-size: 13.5px; line-height: 20px; }
  .error, .alert { margin-top: 4px; color: var(--bad); font-size: 13.5px; line-height: 20px; }
  .alert { padding: 10px 12px; margin: 0 0 16px; background: var(--bad-soft); border-radius: var(--radius); }
  a { color: var(--accent-ink); text-underline-offset: 2px; }
  .picture { min-height: 44px; border: 1px solid var(--line-control); border-radius: var(--radius); }
  .send {
    justify-content: center; width: 100%; min-height: 42px; color: var(--on-accent); font-weight: 600;
    &, &:hover { background: var(--accent); }
  }
  .aside { position: absolute; opacity: 0; pointer-events: none; width: 1px; height: 1px; overflow: hidden; }
}
[hidden] { display: none !important; }
@keyframes rise { from { opacity: 0; transform: translateY(8px); } }
@media (max-width: 520px) {
  .scrim { position: fixed; inset: 0; background: rgb(20 26 38 / .45); }
  .panel {
    inset: auto 0 var(--keyboard, 0px) !important; width: auto; padding: 16px 16px 24px;
    max-height: calc(100dvh - 24px - var(--keyboard, 0px)); border-radius: 16px 16px 0 0;
    textarea, [type=email], [type=text] { font-size: 16px; min-height: 44px; }
    .send { min-height: 48px; }
  }
}
@media (max-width: 520px), (pointer: coarse) {
  .panel .chips span { min-height: 44px; }
  .panel .close { padding: 4px 15px; margin: -15px; }
}
@media (prefers-reduced-motion) { .panel { animation: none; } }`;

// Important, so that no --ink of the page reaches in.
export const formSheet = () => sheet(tokens.replaceAll(';', ' !important;') + form);
