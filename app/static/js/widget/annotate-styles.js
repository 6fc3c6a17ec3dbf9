/** The look of the annotation view, on the widget's tokens. Below 760 px the tools become a sheet. */
export const css = `
.an {
  all: unset; position: fixed; inset: 0; display: flex; flex-direction: column; overflow: hidden; background: var(--sunken); color: var(--ink); font: 14px/20px var(--font-ui);
  * { box-sizing: border-box; margin: 0; }
  &, .marks { touch-action: none; }
  .area { position: relative; flex: 1; min-height: 0; display: grid; place-items: center; }
  .area::after { content: ""; position: absolute; inset: 0; border: 3px solid var(--accent); pointer-events: none; }
  .stage { position: relative; direction: ltr; }
  canvas { display: block; width: 100%; height: 100%; }
  .marks { position: absolute; inset: 0; outline: none; }
  &.keys .marks:focus { outline: 3px dashed var(--focus); outline-offset: -9px; }
  .item { all: unset; position: absolute; pointer-events: none; min-width: 24px; min-height: 24px; }
  .write { all: unset; position: absolute; min-width: 5em; margin: -1px -9px; padding: 0 8px; transform-origin: 9px 1px; border-radius: 3px; background: #fffe; font: 600 18px/24px var(--font-ui); overflow: hidden; white-space: pre; outline: 2px solid #27509b; }
  .dock { position: absolute; inset: auto 0 26px; display: grid; justify-items: center; gap: 12px; pointer-events: none; transition: opacity var(--motion); }
  .top { inset: 26px 0 auto; }
  .away { opacity: 0; * { pointer-events: none; } }
  .row, .float, .bar div { display: flex; align-items: center; gap: 4px; }
  .row { gap: 8px; padding: 0 16px; }
  .hint { padding: 5px 12px; border-radius: var(--radius); background: #141a26; color: #fff; font-size: 13.5px; box-shadow: 0 0 0 1px #fff3; }
  .hint b { display: none; }
  .float { pointer-events: auto; padding: 6px; background: var(--surface); border-radius: var(--radius-overlay); box-shadow: var(--shadow-float); }
  .row .float { padding: 2px 4px; }
  .bar > div + div { margin-inline-start: 4px; padding-inline-start: 8px; border-inline-start: 1px solid var(--line); }
  .bar b { padding: 0 12px; }
  .b { all: unset; display: inline-flex; align-items: center; justify-content: center; gap: 8px; min-width: 34px; height: 34px; padding: 0 8px; border: 1px solid #0000; border-radius: var(--radius); box-sizing: border-box; white-space: nowrap; cursor: pointer; }
  .b:hover { background: var(--sunken); }
  button:focus-visible { outline: 2px solid var(--focus); outline-offset: 2px; }
  .item:focus-visible { outline-offset: 7px; }
  .b[aria-pressed=true] { background: var(--accent-soft); border-color: var(--accent); color: var(--accent-ink); font-weight: 600; }
  .b[aria-disabled=true] { opacity: .4; cursor: default; background: none; }
  .b:not([aria-pressed=true], .crop) span { display: none; }
  .done, .keep { background: var(--accent); color: var(--on-accent); font-weight: 600; padding: 0 16px; }
  :is(.done, .keep):hover { background: var(--accent-hover); }
  [role=radio] { height: 28px; padding: 0; }
  i { width: 16px; height: 16px; border-radius: 50%; box-shadow: inset 0 0 0 1px #0003; }
  [aria-checked=true] i { box-shadow: 0 0 0 2px var(--surface), 0 0 0 4px var(--accent); }
  svg { width: 16px; fill: none; stroke: currentColor; stroke-width: 1.3; stroke-linecap: round; stroke-linejoin: round; }
  .redaction svg { fill: currentColor; }
  .quiet { position: absolute; clip-path: inset(50%); width: 1px; }
  &.asking .dock > :not([role=alertdialog]) { display: none; }
  @media (max-width: 759px) {
    .dock { position: static; gap: 0; padding: 4px 8px calc(6px + env(safe-area-inset-bottom, 0px)); background: var(--surface); opacity: 1; }
    .row { display: grid; grid-template-rows: 40px 44px; gap: 0; padding: 0; justify-items: center; }
    .hint { align-self: center; background: none; color: var(--ink-2); box-shadow: none; text-align: center; font-size: 13px; line-height: 18px; }
    .hint b { display: inline; color: var(--ink); }
    .row:has([hidden].float) .hint { grid-row: 1 / 3; }
    .float { padding: 0; box-shadow: none; }
    .bar { flex-wrap: wrap; justify-content: center; width: 100%; max-width: 440px; }
    .bar > div + div { margin: 0; padding: 0; border: 0; }
    .bar > div:last-child { margin-inline-start: auto; }
    .tools { width: 100%; justify-content: space-between; }
    .b { min-width: 44px; height: 44px; }
    [role=radio] { min-width: 52px; }
    .bar .b span, .flip { display: none; }
    svg { width: 18px; }
    i { width: 22px; height: 22px; }
  }
}
`;
