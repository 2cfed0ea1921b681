import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import type { Chain } from '@tfjs-ssl/augmentations';
import { type Batch, stepsPerEpoch } from '@tfjs-ssl/datasets';
import type { EngineInUse } from '@tfjs-ssl/engine';
import { type FeedInputs, type ImageFeed, imageFeed } from '@tfjs-ssl/feed';
import { saveWeights } from '@tfjs-ssl/resnet';
import { configDifferences, firstAndLastTenth, formatDifferences, type StepRecord, Trainer } from '@tfjs-ssl/trainer';
import { buildChain, buildLoss, buildModel, buildOptimizer, buildSchedule, type Model } from './blocks.ts';
import { chooseEngine } from './choose-engine.ts';
import { type Data, openData } from './data.ts';
import { type Monitor, monitorLine, monitorOf, scalarsOf } from './evaluate.ts';
import { headerLines, quickLines, versions } from './header.ts';
import { type ParsedOptions, UsageError } from './options.ts';
import { profileLines } from './profile-step.ts';
import { epochLine, formatDuration, type Output, ProgressBar, paperLine, type StepValues } from './progress.ts';
import { viewsFile, writeLossCurve, writeReport } from './report.ts';
import { checkNewFolder, openRun, type SavedRun, savedRun } from './run.ts';
import { sampleViews } from './sample-views.ts';
import { resolveSettings, type Settings } from './settings.ts';
import { resultLines, type Summary } from './summary.ts';

type Metric = 'top1' | 'top5';

/** Milliseconds after which a checkpoint brings the report up to date. */
const reportEvery = 60_000;

/** How a run ended. */
export type Outcome = 'done' | 'interrupted';

/**
 * Runs the experiment: data, models, training, evaluation, and everything that is kept of them.
 *
 * @param parsed - the options of the call.
 * @param output - where text goes.
 * @param signal - ends the run after the step in progress, with a checkpoint.
 */
export async function runExperiment(parsed: ParsedOptions, output: Output, signal: AbortSignal): Promise<Outcome> {
  const start = performance.now();
  const print = (line: string) => output.write(`${line}\n`);
  const saved = parsed.options.resume === undefined ? null : await savedRun(parsed.options.resume, parsed);
  const { options } = saved ?? parsed;
  const writes = !options.dryRun && !options.profileStep;
  if (!saved && writes && options.out !== undefined) checkNewFolder(options.out);
  const asked = saved?.settings ?? resolveSettings(options);
  const engine = await chooseEngine(options, asked);
  const data = await openData(options, asked, saved?.data ?? null, print, signal);
  const settings = data.name === 'folder' ? { ...asked, ...sizesOf(data) } : asked;
  try {
    if (signal.aborted) return 'interrupted';
    return await trainAndEvaluate({
      options,
      given: parsed.given,
      settings,
      saved,
      engine,
      data,
      output,
      signal,
      start,
    });
  } finally {
    await Promise.all([data.train.close(), data.val.close()]);
  }
}

/** What a folder of images really holds; the settings of a preset are Tiny ImageNet's. */
function sizesOf({ train }: Data): Pick<Settings, 'classes' | 'imagesPerClass'> {
  const counts = train.classNames.map((_, label) => train.labels.filter((of) => of === label).length);
  return { classes: counts.length, imagesPerClass: Math.max(...counts) };
}

interface Run {
  readonly options: ParsedOptions['options'];
  readonly given: ParsedOptions['given'];
  readonly settings: Settings;
  readonly saved: SavedRun | null;
  readonly engine: EngineInUse;
  readonly data: Data;
  readonly output: Output;
  readonly signal: AbortSignal;
  /** When the program began, milliseconds of `performance.now()`. */
  readonly start: number;
}

async function trainAndEvaluate(run: Run): Promise<Outcome> {
  const { options, given, settings, saved, engine, data, output, signal } = run;
  const { preset, precision, seed, batchSize, epochs } = settings;
  const neighbours = Math.min(settings.neighbours, data.train.length);
  const perEpoch = stepsPerEpoch(data.train.length, batchSize);
  if (perEpoch === 0) {
    throw new UsageError(
      `--batch-size: ${batchSize} images are more than the ${data.train.length} there are. Take fewer.`,
    );
  }
  const totalSteps = epochs * perEpoch;
  const model = buildModel(settings);
  const chain = buildChain(settings);
  const feed = await buildFeed(data, settings, chain, (line) => output.write(`${line}\n`), signal);
  const trainer = buildTrainer(settings, model, feed);
  const environment = { ...versions(engine), device: engine.device };
  const folder =
    options.dryRun || options.profileStep
      ? null
      : await openRun({ options, given, settings, saved, data, environment });
  const bar = new ProgressBar(output, totalSteps, batchSize);

  const lines = [
    ...headerLines({ settings, engine, data, model, stepsPerEpoch: perEpoch, folder: folder?.path ?? null }),
    ...quickLines(resolveSettings({ preset, precision, seed, scale: 'full' }), settings),
  ];
  for (const line of lines) bar.print(line);
  if (folder === null) return tryOut(run, { trainer, feed, totalSteps, bar });

  const goOn = `  npm run simclr -- --resume ${folder.path}`;
  const evaluate = () =>
    monitorOf(model.encoder, data, neighbours, signal).catch((error: Error) => {
      if (error === signal.reason) bar.print(`Stopped during the evaluation. Nothing is lost. To continue:\n${goOn}`);
      throw error;
    });
  const untrained = saved?.knnBefore == null ? await evaluate() : null;
  const before = untrained?.knn.top1 ?? (saved?.knnBefore as number);
  bar.print(`kNN of the untrained encoder: ${(100 * before).toFixed(1)}%`);
  if (saved?.knnBefore == null) await folder.saveSummary({ knn: { before } });
  const { step: resumedAt, rejected } = await folder.restore(trainer);
  if (resumedAt === 0) await folder.addScalars(0, untrained ? scalarsOf(untrained) : { 'evaluation/knn': before });
  for (const { path, reason } of rejected) bar.print(`Cannot use the checkpoint ${path}: ${reason}`);
  if (saved) {
    bar.print(`Resuming ${folder.path} at step ${resumedAt} of ${totalSteps}`);
    const changes = configDifferences(saved.environment, environment);
    if (changes.length > 0) {
      bar.print(
        `The device or the versions have changed. The last digits may differ from those of an unbroken run:\n${formatDifferences(changes)}`,
      );
    }
  }
  const report = () => writeReport(folder, (line) => bar.print(line));
  if (!existsSync(join(folder.path, viewsFile)))
    await folder.saveFile(viewsFile, await sampleViews(data.train, settings, chain));
  const earlierSeconds = folder.records.reduce(
    (sum, { seconds }) => sum + seconds.load + seconds.prepare + seconds.step,
    0,
  );

  const events = trainer.fit({
    ...feed,
    epochs,
    run: folder,
    signal,
    on: { checkpoint: () => writeLossCurve(folder, (line) => bar.print(line)) },
    ...(options.checkpointEvery === undefined ? {} : { checkpointEvery: options.checkpointEvery }),
  });
  let reportedAt = performance.now();
  let trained: Monitor;
  try {
    for await (const event of events) {
      if (event.type === 'step') {
        const values = toValues(event);
        bar.update(values);
        if (event.step % 100 === 0) bar.print(paperLine(values));
      } else if (event.type === 'epoch') {
        bar.print(epochLine(toValues({ ...event, step: 0 }), event.imagesPerSecond, event.skippedSteps));
        const done = event.epoch + 1;
        if (options.evaluateEvery !== undefined && done % options.evaluateEvery === 0 && done < epochs) {
          const monitor = await evaluate();
          bar.print(`[Epoch ${done}] ${monitorLine(monitor)}`);
          await folder.addScalars(event.stepsDone, scalarsOf(monitor));
        }
      } else if (event.type === 'checkpoint' && performance.now() - reportedAt > reportEvery) {
        await report();
        reportedAt = performance.now();
      } else if (event.type === 'interrupted') {
        bar.print(`Stopped after step ${event.stepsDone} of ${totalSteps}. Nothing is lost. To continue:`);
        bar.print(goOn);
        await report();
        return 'interrupted';
      }
    }
    bar.clear();
    await saveWeights(model.encoder, folder.modelPath);
    trained = await evaluate();
    bar.print(`Trained encoder: ${monitorLine(trained)}`);
  } catch (error) {
    await report();
    throw error;
  } finally {
    feed.dispose();
  }
  const seconds = earlierSeconds + (performance.now() - run.start) / 1000;
  const summary = summarize(folder.records, { engine, data, seconds, knn: { before, after: trained.knn.top1 } });
  await folder.saveSummary(summary);
  await folder.addScalars(totalSteps, scalarsOf(trained));
  await report();
  const shown = { classes: data.train.classNames.length, neighbours, folder: folder.path };
  for (const line of resultLines(summary, settings, shown)) bar.print(line);
  return 'done';
}

/** The images of a run on their way to the engine; prints how an upload goes on, and why images that should stay there do not fit. */
async function buildFeed(
  { train }: Data,
  { batchSize, seed }: Settings,
  chain: Chain,
  print: (line: string) => void,
  signal: AbortSignal,
): Promise<ImageFeed> {
  const feed = await imageFeed(train, { chain, batchSize, seed, onProgress: reportUpload(print), signal });
  if (feed.notKept !== null) print(`The images do not fit on the device; each step uploads its batch: ${feed.notKept}`);
  return feed;
}

/** A line at most every two seconds, and one at the end. */
function reportUpload(print: (line: string) => void): (progress: { done: number; total: number }) => void {
  let last = performance.now();
  return ({ done, total }) => {
    if (done < total && performance.now() - last < 2000) return;
    last = performance.now();
    print(`uploaded ${done.toLocaleString('en')} of ${total.toLocaleString('en')} images to the engine`);
  };
}

/** The trainer of a run: its step is augment, encode, project, compare, update. */
export function buildTrainer(settings: Settings, model: Model, feed: ImageFeed): Trainer<FeedInputs, Metric> {
  return new Trainer({
    parameters: model.parameters,
    buffers: model.buffers,
    inputs: feed.specs,
    loss: buildLoss(settings, model, feed),
    optimizer: buildOptimizer(settings),
    schedule: buildSchedule(settings, feed.stepsPerEpoch),
    precision: settings.precision,
  });
}

interface TryOut {
  readonly trainer: Trainer<FeedInputs, Metric>;
  readonly feed: ImageFeed;
  readonly totalSteps: number;
  readonly bar: ProgressBar;
}

/** A step or a few without a run folder. */
async function tryOut({ options }: Run, { trainer, feed, totalSteps, bar }: TryOut): Promise<Outcome> {
  const stream = feed.batches({ epoch: 0, step: 0 });
  const { value: batch } = await stream.next();
  await stream.return();
  const inputs = feed.inputs(batch as Batch);
  if (options.profileStep) {
    try {
      for (const line of await profileLines(() => trainer.step(inputs))) bar.print(line);
    } finally {
      tf.dispose(inputs);
    }
    return 'done';
  }
  const start = performance.now();
  const result = await trainer.step(inputs);
  const seconds = (performance.now() - start) / 1000;
  tf.dispose(inputs);
  const mib = (bytes: number) => `${Math.round(bytes / 2 ** 20).toLocaleString('en')} MiB`;
  bar.print(paperLine(toValues({ ...result, epoch: 0 })));
  bar.print(
    `One step took ${seconds.toFixed(2)} s, including warm-up. The run has ${totalSteps.toLocaleString('en')} steps: at most about ${formatDuration(seconds * totalSteps)}.`,
  );
  bar.print(
    `Memory between steps: ${mib(process.memoryUsage.rss())} in the process, ${mib(tf.memory().numBytes)} in ${tf.memory().numTensors} tensors.`,
  );
  return 'done';
}

function toValues({
  step,
  epoch,
  loss,
  metrics,
  learningRate,
}: Pick<StepRecord<Metric>, 'step' | 'epoch' | 'loss' | 'metrics' | 'learningRate'>): StepValues {
  return { step, epoch, loss, top1: metrics.top1, top5: metrics.top5, learningRate };
}

function summarize(
  records: readonly StepRecord[],
  { engine, data, seconds, knn }: { engine: EngineInUse; data: Data; seconds: number; knn: Summary['knn'] },
): Summary {
  const tenths = (value: (record: StepRecord) => number) => firstAndLastTenth(records.map(value));
  return {
    engine: engine.name,
    device: engine.device,
    data: data.name,
    seconds: Math.round(seconds * 10) / 10,
    steps: records.length,
    loss: tenths(({ loss }) => loss),
    top1: tenths(({ metrics }) => metrics.top1 as number),
    top5: tenths(({ metrics }) => metrics.top5 as number),
    knn,
  };
}
