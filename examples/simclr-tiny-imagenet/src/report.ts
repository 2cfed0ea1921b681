import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stepsPerEpoch } from '@tfjs-ssl/datasets';
import { type Fact, lossCurve, type Report, reportHtml } from '@tfjs-ssl/report';
import { firstAndLastTenth, RunFolder, type StepRecord } from '@tfjs-ssl/trainer';
import { dataNames } from './data.ts';
import { gainText, shareText } from './fine-tune-arms.ts';
import { formatDuration, formatRate } from './progress.ts';
import { fromFile, type RunConfig, readRunConfig, readSummary } from './run.ts';
import { type PartialSummary, trainingSeconds } from './summary.ts';

/** Name of the page in the run folder. */
const reportFile = 'report.html';

/** Name of the loss curve in the run folder. */
const lossFile = 'loss.svg';

/** Name of the picture of sample views in the run folder. */
export const viewsFile = 'views.png';

/**
 * Writes `report.html` for what a run has done so far.
 *
 * A failure costs the page and nothing else: it is printed, with what makes the page later.
 */
export async function writeReport(run: RunFolder, print: (line: string) => void): Promise<void> {
  try {
    await run.saveFile(reportFile, await reportHtml(await reportOf(run)));
  } catch (error) {
    print(`${reportFile} is not up to date: ${(error as Error).message} To write it later:`);
    print(`  npm run simclr -- --report ${run.path}`);
  }
}

/** Writes `loss.svg`, as the paper's figure 1; a failure costs the picture and nothing else. */
export async function writeLossCurve(run: RunFolder, print: (line: string) => void): Promise<void> {
  const { images, preset, scale, batchSize } = fromFile(run.config);
  const title = `SimCLR on ${images.data}: training loss (${preset}, ${scale})`;
  try {
    await run.saveFile(
      lossFile,
      await lossCurve(run.records, { title, stepsPerEpoch: stepsPerEpoch(images.train, batchSize) }),
    );
  } catch (error) {
    print(`${lossFile} is not up to date: ${(error as Error).message}`);
  }
}

/**
 * Makes the page of an earlier run again, from its files alone.
 *
 * @returns the page's path.
 * @throws UsageError if there is no run; Error if its files cannot be read or the page cannot be written.
 */
export async function remakeReport(folder: string): Promise<string> {
  await readRunConfig(folder, '--report');
  const run = await RunFolder.open(folder);
  await run.saveFile(reportFile, await reportHtml(await reportOf(run)));
  return join(folder, reportFile);
}

async function reportOf(run: RunFolder): Promise<Report> {
  const { images, environment, options, init, ...settings } = fromFile(run.config);
  const { records } = run;
  const summary = await readSummary(run.path);
  const perEpoch = stepsPerEpoch(images.train, settings.batchSize);
  const steps = (records.at(-1)?.step ?? -1) + 1;
  const all = settings.epochs * perEpoch;
  const finished = steps === all && summary?.knn?.after !== undefined;
  const count = (n: number) => n.toLocaleString('en');
  const views = join(run.path, viewsFile);
  return {
    title: `SimCLR on ${dataNames[images.data]}`,
    status:
      `${finished ? 'Finished' : 'Not finished'}: step ${count(steps)} of ${count(all)}, ${settings.epochs} epochs. ` +
      `Preset ${settings.preset}, scale ${settings.scale}, precision ${settings.precision}.`,
    facts: factsOf(records, settings, summary),
    records,
    stepsPerEpoch: perEpoch,
    lossOfGuessing: Math.log(2 * settings.batchSize - 1),
    accuracies: { top1: 'top-1', top5: 'top-5' },
    ...(summary?.knn?.before === undefined
      ? {}
      : {
          evaluation: {
            title: `Nearest neighbours on real classes (k = ${settings.neighbours})`,
            bars: [
              { label: 'untrained', value: summary.knn.before },
              ...(summary.knn.after === undefined ? [] : [{ label: 'trained', value: summary.knn.after }]),
            ],
            chance: 1 / settings.classes,
          },
        }),
    ...(existsSync(views)
      ? {
          views: {
            png: await readFile(views),
            caption: 'The first row shows training images. Below each are its two random views in the first epoch.',
          },
        }
      : {}),
    config: { ...settings, images, ...(init && { init }), options },
    environment,
    footer: `Made by: npm run simclr -- --report ${run.path}`,
  };
}

function factsOf(
  records: readonly StepRecord[],
  { classes, batchSize }: Pick<RunConfig, 'classes' | 'batchSize'>,
  summary: PartialSummary | null,
): Fact[] {
  const percent = (fraction: number | undefined) => (fraction === undefined ? '…' : `${(100 * fraction).toFixed(1)}%`);
  const knn = {
    label: 'kNN accuracy',
    value: `${percent(summary?.knn?.before)} → ${percent(summary?.knn?.after)}`,
    note: `untrained → trained; chance ${percent(1 / classes)}`,
  };
  if (records.length === 0) return [knn];
  const evaluation = summary?.evaluation;
  const evaluated: Fact[] = evaluation
    ? [
        ...evaluation.knn.map(({ k, top1, top5 }) => ({
          label: `kNN, k = ${k}`,
          value: percent(top1),
          note: `top-5 ${percent(top5)}`,
        })),
        {
          label: 'Linear probe',
          value: percent(evaluation.linear.top1),
          note: `top-5 ${percent(evaluation.linear.top5)}`,
        },
        ...(evaluation.linearSgd
          ? [
              {
                label: 'Linear probe by SGD',
                value: percent(evaluation.linearSgd.top1),
                note: `top-5 ${percent(evaluation.linearSgd.top5)}; ${evaluation.linearSgd.epochs} epochs`,
              },
            ]
          : []),
        {
          label: 'Effective rank',
          value: evaluation.effectiveRank.toFixed(1),
          note: `of ${evaluation.dimensions} dimensions; uniformity ${evaluation.uniformity.toFixed(2)}`,
        },
      ]
    : [];
  const tuned = (summary?.fineTuning ?? []).map(({ fraction, pretrained, scratch, gain }) => ({
    label: `Fine-tuned, ${shareText(fraction)} of labels`,
    value: percent(pretrained.top1.mean),
    note: `from scratch ${percent(scratch.top1.mean)}; gain ${gainText(gain)}`,
  }));
  const tenths = (value: (record: StepRecord) => number) => firstAndLastTenth(records.map(value));
  const change = (
    label: string,
    { first, last }: { first: number; last: number },
    show: (value: number) => string,
  ) => ({
    label,
    value: `${show(first)} → ${show(last)}`,
    note: 'first → last tenth of the steps',
  });
  const seconds = trainingSeconds(records);
  return [
    knn,
    ...evaluated,
    ...tuned,
    change(
      'Loss',
      tenths(({ loss }) => loss),
      (loss) => loss.toFixed(3),
    ),
    change(
      'Pretext top-1',
      tenths(({ metrics }) => metrics.top1 as number),
      percent,
    ),
    change(
      'Pretext top-5',
      tenths(({ metrics }) => metrics.top5 as number),
      percent,
    ),
    { label: 'Speed', value: formatRate((records.length * batchSize) / seconds), note: 'mean over all steps' },
    summary?.seconds === undefined
      ? { label: 'Time', value: formatDuration(seconds), note: 'training steps alone' }
      : { label: 'Time', value: formatDuration(summary.seconds), note: 'evaluation included' },
  ];
}
