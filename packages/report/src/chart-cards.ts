import type { StepRecord } from '@tfjs-ssl/trainer';
import { barsChart } from './charts/bars.ts';
import { type Curve, curvesChart } from './charts/curves.ts';
import { fullPage, halfPage, renderChart } from './charts/render.ts';
import { stepParts, stepTimeChart } from './charts/step-time.ts';
import type { EpochMeans } from './epochs.ts';
import { type Html, html } from './html.ts';
import { inTheMiddle, lossOver, overEpochs } from './over-epochs.ts';
import type { Evaluation, Report } from './report.ts';
import { mean } from './series.ts';

/** The charts of a report, each in a card with its heading and legend; charts of steps only if there are steps. */
export async function chartCards(report: Report, epochs: readonly EpochMeans[]): Promise<Html[]> {
  const evaluation = report.evaluation ? [await evaluationCard(report.evaluation)] : [];
  if (report.records.length === 0) return evaluation;
  return [
    await lossCard(report, epochs),
    ...(await accuracyCards(report, epochs)),
    ...evaluation,
    ...(await rateAndSpeedCards(report)),
    ...(await lossScaleCards(report)),
    await stepTimeCard(report, epochs),
  ];
}

const half = (title: string, chart: object): Promise<Html> => renderChart(chart, halfPage, title);

async function lossCard(report: Report, epochs: readonly EpochMeans[]): Promise<Html> {
  const { lossOfGuessing } = report;
  const loss = lossOver(epochs, report);
  const reference = lossOfGuessing === undefined ? undefined : { label: 'guessing', value: lossOfGuessing };
  const options = { format: '~r', reference };
  const title = 'Loss over epochs';
  return card({
    title: 'Loss',
    note: 'light: each step; line: running mean; dots: means of epochs',
    chart: await renderChart(curvesChart([loss], fullPage, options), fullPage, title),
    narrowChart: await half(title, curvesChart([loss], halfPage, options)),
  });
}

async function accuracyCards(report: Report, epochs: readonly EpochMeans[]): Promise<Html[]> {
  const { stepsPerEpoch, accuracies = {} } = report;
  const curves = Object.keys(accuracies).map(
    (name): Curve => ({
      points: overEpochs(report, ({ metrics }) => metrics[name] ?? Number.NaN),
      means: inTheMiddle(epochs, stepsPerEpoch, ({ metrics }) => metrics[name] ?? Number.NaN),
    }),
  );
  if (curves.length === 0) return [];
  const spec = curvesChart(curves, halfPage, { format: '.0%', zero: true });
  const chart = await half('Accuracy of the pretext task over epochs', spec);
  return [card({ title: 'Pretext accuracy', legend: Object.values(accuracies), chart })];
}

async function rateAndSpeedCards(report: Report): Promise<Html[]> {
  const rate: Curve = { points: overEpochs(report, ({ learningRate }) => learningRate), smooth: false };
  const speed: Curve = { points: overEpochs(report, ({ imagesPerSecond }) => imagesPerSecond) };
  const rateSpec = curvesChart([rate], halfPage, { format: '~g', zero: true });
  const speedSpec = curvesChart([speed], halfPage, { format: ',~r', zero: true });
  return [
    card({ title: 'Learning rate', chart: await half('Learning rate over epochs', rateSpec) }),
    card({ title: 'Images per second', chart: await half('Images per second over epochs', speedSpec) }),
  ];
}

/** In mixed precision: the factor of the loss, which halves with every overflow, and how many there were. */
async function lossScaleCards(report: Report): Promise<Html[]> {
  if (report.records.every(({ lossScale }) => lossScale === undefined)) return [];
  const points = overEpochs(report, ({ lossScale }) => lossScale ?? Number.NaN);
  const skipped = report.records.filter((record) => record.skipped).length;
  const spec = curvesChart([{ points, smooth: false }], halfPage, { format: '~s', zero: true });
  const note = `${skipped} of ${report.records.length} steps were skipped, as a gradient overflowed`;
  return [card({ title: 'Loss scale', note, chart: await half('Loss scale over epochs', spec) })];
}

async function stepTimeCard({ records }: Report, epochs: readonly EpochMeans[]): Promise<Html> {
  const title = 'Milliseconds of a step by part, for each epoch';
  const low = { ...fullPage, height: 200 };
  return card({
    title: 'Where the time of a step goes',
    legend: partsOf(records),
    chart: await renderChart(stepTimeChart(epochs, low), low, title),
    narrowChart: await half(title, stepTimeChart(epochs, halfPage)),
  });
}

async function evaluationCard({ title, bars, chance }: Evaluation): Promise<Html> {
  return card({ title, chart: await half(title, barsChart(bars, chance)) });
}

/** The parts of a step with their shares of all its time. */
function partsOf(records: readonly StepRecord[]): string[] {
  const times = stepParts.map((part) => mean(records.map(({ seconds }) => seconds[part])));
  const total = times.reduce((sum, time) => sum + time);
  return stepParts.map((part, i) => `${part} ${((100 * (times[i] as number)) / total).toFixed(1)} %`);
}

interface Card {
  readonly title: string;
  readonly note?: string;
  readonly legend?: readonly string[];
  readonly chart: Html;
  /** Takes the place of the chart on a narrow screen; on a wide one the chart has the width of the page. */
  readonly narrowChart?: Html;
}

function card({ title, note, legend = [], chart, narrowChart }: Card): Html {
  const keys = legend.map((name, i) => html`<li><i style="background:var(--series-${i + 1})"></i>${name}</li>`);
  return html`<figure class="card${narrowChart ? ' wide' : ''}">
<figcaption><h2>${title}</h2>${note === undefined ? null : html`<p>${note}</p>`}${keys.length > 0 ? html`<ul class="legend">${keys}</ul>` : null}</figcaption>
${narrowChart ? html`<div class="on-wide">${chart}</div><div class="on-narrow">${narrowChart}</div>` : chart}
</figure>`;
}
