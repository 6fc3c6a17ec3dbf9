// The look of the picture's row and of what follows sending, on the tokens of styles.js.
import { sheet } from './styles.js';

export const extraSheet = () =>
  sheet(`
.panel {
  .icon { flex: none; fill: none; stroke: currentColor; stroke-width: 1.3; }
  .send { background: linear-gradient(90deg, var(--ink) var(--done, 0%), var(--accent) 0); }
  ::placeholder { color: var(--ink-3); opacity: 1; }
  .send:not([style]):hover { background: var(--accent-hover); }
  .picture { display: flex; align-items: center; }
  .take { flex: 1; gap: 12px; min-height: 42px; padding: 0 12px; }
  .take .icon { color: var(--ink-2); }
  .picture .hint { padding-inline: 4px 12px; font-size: 13px; }
  .link {
    display: inline; min-height: 0; color: var(--accent-ink); text-decoration: underline; text-underline-offset: 2px;
    border-radius: 3px;
    &:hover { background: none; text-decoration-thickness: 2px; }
  }
  .shot { display: flex; gap: 12px; align-items: flex-start; }
  .shot canvas {
    flex: none; max-width: 96px; max-height: 84px; border-radius: 4px; box-shadow: 0 0 0 1px var(--line);
  }
  .shot p { margin: 0; }
  .facts { color: var(--ink-3); font-size: 13px; line-height: 20px; }
  .acts { display: flex; gap: 8px; margin-inline-start: -8px; }
  .acts button { min-height: 32px; padding: 0 8px; color: var(--accent-ink); }
  .picture:has(.acts) { flex-wrap: wrap; padding-bottom: 6px; }
  .picture .acts { margin-inline-start: 4px; }
  .state { flex: 1 0 100%; padding: 9px 12px; color: var(--ink-2); }
  .over h2 { margin: -8px 0 6px; font: 600 18px/24px var(--font-ui); }
  .over p { color: var(--ink-2); }
  .over b { color: var(--ink); font: 600 14px/22px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
  .address {
    display: flex; height: 40px; margin: 16px 0 12px; border: 1px solid var(--line-control); border-radius: var(--radius);
    input { flex: 1; min-width: 0; height: auto; border: 0; padding: 0 12px; font: inherit; font-size: 14px; color: var(--ink-2); background: none; text-overflow: ellipsis; border-radius: 5px; }
    input:focus-visible { outline: 2px solid var(--focus); }
    button { padding: 0 12px; font-size: 14px; border-inline-start: 1px solid var(--line); border-radius: 0 5px 5px 0; color: var(--ink); }
    .icon { color: var(--ink-2); }
  }
  a.send { display: flex; align-items: center; border-radius: var(--radius); text-decoration: none; }
  .send + .small, .after { margin-top: 16px; padding-top: 12px; border-top: 1px solid var(--line); }
  .over .go { margin-top: 16px; }
  .over .send:focus { outline: 2px solid var(--focus); outline-offset: 2px; }
  .acts button:hover { background: var(--sunken); }
}
.panel:has(.over) .top h2 { opacity: 0; }
@media (max-width: 520px), (pointer: coarse) {
  .panel .acts button, .panel .address { min-height: 44px; }
  .panel .link { padding-block: 13px; }
}`);
