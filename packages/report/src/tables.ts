import type { Row } from './config-rows.ts';
import { Html, html } from './html.ts';

/** Names and values in a card. */
export function rowTable(title: string, rows: readonly Row[]): Html {
  return html`<section class="card"><h2>${title}</h2>
<table><tbody>
${rows.map(([name, value]) => html`<tr><th scope="row">${breakable(name)}</th><td>${value}</td></tr>`)}
</tbody></table></section>`;
}

/** A dotted name that a narrow screen may break after its dots. */
const breakable = (name: string): Html[] =>
  name.split('.').map((part, i, { length }) => html`${part}${i + 1 < length ? new Html('.<wbr>') : null}`);

/** A table of figures. */
export interface FigureTable {
  readonly title: string;
  /** A line below the title. Default: none. */
  readonly note?: string;
  /** The heads of the columns; the first column names the rows. */
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** A table of figures in a card as wide as the page. */
export function figureTable({ title, note, head, rows }: FigureTable): Html {
  return html`<section class="wide card"><h2>${title}</h2>${note === undefined ? null : html`<p>${note}</p>`}
<div class="scroll"><table class="numbers named">
<thead><tr>${head.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>
${rows.map(
  ([name, ...cells]) => html`<tr><th scope="row">${name ?? ''}</th>${cells.map((cell) => html`<td>${cell}</td>`)}</tr>`,
)}
</tbody></table></div></section>`;
}
