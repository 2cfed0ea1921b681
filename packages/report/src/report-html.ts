import { Buffer } from 'node:buffer';
import { checkNumber } from '@tfjs-ssl/checks';
import { chartCards } from './chart-cards.ts';
import { configRows } from './config-rows.ts';
import { type EpochMeans, epochMeans } from './epochs.ts';
import { type Html, html } from './html.ts';
import { page } from './page.ts';
import type { Report, SampleViews } from './report.ts';
import { rowTable } from './tables.ts';

/**
 * The outcome of a run as one HTML page: summary, curves, throughput, sample views, configuration and versions.
 *
 * The page has all it needs in it (charts as SVG, pictures as data), runs no script, may not load anything, and follows the
 * reader's light or dark scheme.
 *
 * @param report - see {@link Report}; a run that was interrupted, or has no step yet, gives a page too.
 * @returns an HTML document.
 * @throws RangeError if `stepsPerEpoch` is not a positive integer.
 * @example
 * ```ts
 * import { writeFileSync } from 'node:fs';
 * import { reportHtml } from '@tfjs-ssl/report';
 *
 * const seconds = { load: 0, prepare: 0.01, step: 0.1 };
 * const records = Array.from({ length: 40 }, (_, step) => ({
 *   step,
 *   epoch: Math.floor(step / 10),
 *   loss: 4 / (1 + step / 20),
 *   metrics: { top1: step / 80 },
 *   learningRate: 0.001,
 *   seconds,
 *   imagesPerSecond: 290,
 * }));
 * const page = await reportHtml({
 *   title: 'My run',
 *   status: 'finished',
 *   facts: [{ label: 'loss', value: '1.4' }],
 *   records,
 *   stepsPerEpoch: 10,
 *   accuracies: { top1: 'top-1' },
 *   config: { seed: 1 },
 *   environment: { Node: process.versions.node },
 * });
 * writeFileSync('report.html', page);
 * ```
 */
export async function reportHtml(report: Report): Promise<string> {
  const { title, status, facts, records, stepsPerEpoch, views, config, environment, footer } = report;
  checkNumber('reportHtml', 'stepsPerEpoch', stepsPerEpoch, { min: 1, integer: true }, 'Pass the steps of one epoch.');
  const epochs = epochMeans(records);
  return page(
    { title, status, facts, footer },
    html`${await chartCards(report, epochs)}
${views ? viewsSection(views) : null}
${epochTable(epochs, report.accuracies ?? {})}
<section class="wide tables">
${rowTable('Configuration', configRows(config))}
${rowTable('Ran on', Object.entries(environment))}
</section>`,
  );
}

function viewsSection({ png, caption }: SampleViews): Html {
  const source = `data:image/png;base64,${Buffer.from(png).toString('base64')}`;
  return html`<section class="wide card">
<h2>Sample views</h2>
<p>${caption}</p>
<div class="scroll"><img class="views" alt="${caption}" src="${source}"></div>
</section>`;
}

/** The numbers behind the curves, for whoever cannot see them or wants to copy them. */
function epochTable(epochs: readonly EpochMeans[], accuracies: Readonly<Record<string, string>>): Html | null {
  if (epochs.length === 0) return null;
  const names = Object.keys(accuracies);
  const mixed = epochs.some(({ skippedSteps }) => skippedSteps !== undefined);
  const percent = (value: number | undefined) => (value === undefined ? '' : `${(100 * value).toFixed(2)} %`);
  const row = ({
    epoch,
    steps,
    loss,
    metrics,
    learningRate,
    skippedSteps,
    seconds,
  }: EpochMeans) => html`<tr><td>${epoch + 1}</td><td>${steps}</td>
<td>${loss.toFixed(4)}</td>${names.map((name) => html`<td>${percent(metrics[name])}</td>`)}<td>${learningRate.toPrecision(4)}</td>${mixed ? html`<td>${skippedSteps ?? ''}</td>` : null}
<td>${(1000 * seconds.load).toFixed(1)}</td><td>${(1000 * seconds.prepare).toFixed(1)}</td><td>${(1000 * seconds.step).toFixed(1)}</td></tr>`;
  return html`<details class="wide card"><summary>Means of each epoch</summary>
<div class="scroll"><table class="numbers">
<thead><tr><th>epoch</th><th>steps</th><th>loss</th>${names.map((name) => html`<th>${accuracies[name] as string}</th>`)}<th>learning rate</th>${mixed ? html`<th>skipped</th>` : null}<th>load, ms</th><th>prepare, ms</th><th>step, ms</th></tr></thead>
<tbody>
${epochs.map(row)}
</tbody></table></div></details>`;
}
