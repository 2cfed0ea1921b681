import { darkColors, lightColors } from './colors.ts';
import { Html } from './html.ts';

const properties = (colors: Readonly<Record<string, string>>): string =>
  Object.entries(colors)
    .map(([name, value]) => `--${name}: ${value};`)
    .join(' ');

/** The style sheet of the page: light and dark, wide and narrow. */
export const pageStyle: Html = new Html(`
:root {
  color-scheme: light dark;
  ${properties(lightColors)}
}
@media (prefers-color-scheme: dark) {
  :root { ${properties(darkColors)} }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1000px; padding: 28px 20px 40px; background: var(--page); color: var(--ink); font: 15px/1.45 system-ui, sans-serif; }
h1 { font-size: 26px; line-height: 1.2; margin: 0; text-wrap: balance; }
h2 { font-size: 15px; margin: 0; }
p { margin: 0; color: var(--ink-2); }
header { margin-bottom: 18px; }
.status { margin-top: 4px; }
.facts { display: grid; grid-template-columns: repeat(3, minmax(0, 1fr)); gap: 12px; margin: 0 0 12px; }
.facts div, .card { background: var(--surface); border: 1px solid var(--border); border-radius: 10px; }
.facts div { padding: 12px 14px; }
dt { color: var(--ink-2); font-size: 13px; }
dd { margin: 2px 0 0; font-size: 17px; font-weight: 600; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
dd small { display: block; font-size: 13px; font-weight: 400; color: var(--ink-2); }
main { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 12px; }
.wide { grid-column: 1 / -1; }
.card { margin: 0; padding: 14px 16px; }
figcaption { display: flex; flex-wrap: wrap; gap: 2px 16px; align-items: baseline; margin-bottom: 8px; }
figcaption p { font-size: 13px; }
.legend { display: flex; flex-wrap: wrap; gap: 2px 14px; margin: 0; padding: 0; list-style: none; font-size: 13px; color: var(--ink-2); }
.legend i { display: inline-block; width: 10px; height: 10px; border-radius: 3px; margin-right: 6px; }
svg { display: block; width: 100%; height: auto; }
.on-narrow { display: none; }
.views { display: block; width: 100%; min-width: 560px; margin-top: 10px; image-rendering: pixelated; }
.tables { display: grid; grid-template-columns: 3fr 2fr; gap: 12px; align-items: start; }
table { border-collapse: collapse; width: 100%; margin-top: 8px; font-size: 13.5px; }
th, td { text-align: left; vertical-align: top; padding: 4px 8px 4px 0; border-top: 1px solid var(--grid); font-weight: 400; overflow-wrap: anywhere; }
th { color: var(--ink-2); width: 45%; }
summary { cursor: pointer; font-weight: 600; }
.scroll { overflow-x: auto; }
.numbers th, .numbers td { text-align: right; white-space: nowrap; width: auto; padding: 4px 0 4px 16px; font-variant-numeric: tabular-nums; }
.named th:first-child { text-align: left; padding-left: 0; white-space: normal; min-width: 140px; }
footer { margin-top: 18px; color: var(--ink-2); font-size: 13px; overflow-wrap: anywhere; }
@media (max-width: 720px) {
  body { padding: 18px 12px 28px; }
  main, .tables { grid-template-columns: minmax(0, 1fr); }
  .facts { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  .on-wide { display: none; }
  .on-narrow { display: block; }
}
@media print { body { max-width: none; } .card, .facts div { break-inside: avoid; } }
`);
