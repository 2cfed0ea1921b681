import { type IntervalRow, intervalsChart, intervalsHeight } from './charts/intervals.ts';
import { fullPage, halfPage, renderChart } from './charts/render.ts';
import { configRows } from './config-rows.ts';
import { type Html, html } from './html.ts';
import { type PageHead, page } from './page.ts';
import { type FigureTable, figureTable, rowTable } from './tables.ts';

/** Means with their intervals, drawn one below another. */
export interface IntervalPlot {
  readonly title: string;
  /** A line beside the title. Default: none. */
  readonly note?: string;
  readonly rows: readonly IntervalRow[];
  /** How labels of the axis look, as d3-format has it: `'.0%'`, `'.2f'`. */
  readonly format: string;
  /** Whether the values are differences: a dashed line marks zero. Default: false. */
  readonly differences?: boolean;
}

/** All that the page of a study shows. Texts are texts: what is HTML in them is escaped. */
export interface StudyPage extends PageHead {
  /** At least one row each. */
  readonly plots: readonly IntervalPlot[];
  readonly tables: readonly FigureTable[];
  /** What all runs have in common, fit for JSON. */
  readonly config: object;
  /** Device and versions. */
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * The outcome of a study of many runs as one HTML page: means with their intervals, differences, tables.
 *
 * As `reportHtml`, the page has all it needs in it, runs no script, and follows the reader's light or dark scheme.
 *
 * @param study - see {@link StudyPage}.
 * @returns an HTML document.
 * @example
 * ```ts
 * import { writeFileSync } from 'node:fs';
 * import { studyHtml } from '@tfjs-ssl/report';
 *
 * const rows = [
 *   { label: 'slim head', mean: 0.31, low: 0.29, high: 0.33, values: [0.3, 0.31, 0.32] },
 *   { label: 'wide head', mean: 0.33, low: 0.31, high: 0.35, values: [0.32, 0.33, 0.34] },
 * ];
 * const page = await studyHtml({
 *   title: 'My study',
 *   status: '6 of 6 runs',
 *   facts: [{ label: 'seeds', value: '3' }],
 *   plots: [{ title: 'kNN accuracy', rows, format: '.0%' }],
 *   tables: [{ title: 'Cells', head: ['head', 'kNN'], rows: [['slim', '31 %'], ['wide', '33 %']] }],
 *   config: { epochs: 8 },
 *   environment: { Node: process.versions.node },
 * });
 * writeFileSync('study.html', page);
 * ```
 */
export async function studyHtml(study: StudyPage): Promise<string> {
  const cards: Html[] = [];
  for (const plot of study.plots) cards.push(await plotCard(plot));
  return page(
    study,
    html`${cards}
${study.tables.map(figureTable)}
<section class="wide tables">
${rowTable('Settings of all runs', configRows(study.config))}
${rowTable('Ran on', Object.entries(study.environment))}
</section>`,
  );
}

async function plotCard({ title, note, rows, format, differences = false }: IntervalPlot): Promise<Html> {
  const spec = intervalsChart(rows, { format, zero: differences });
  const height = intervalsHeight(rows);
  const [wide, narrow] = [
    await renderChart(spec, { ...fullPage, height }, title),
    await renderChart(spec, { ...halfPage, height }, title),
  ];
  return html`<figure class="card wide">
<figcaption><h2>${title}</h2>${note === undefined ? null : html`<p>${note}</p>`}</figcaption>
<div class="on-wide">${wide}</div><div class="on-narrow">${narrow}</div>
</figure>`;
}
