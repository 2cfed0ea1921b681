import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import type { Chain } from '@tfjs-ssl/augmentations';
import { stepsPerEpoch } from '@tfjs-ssl/datasets';
import { type EngineInUse, runsAhead } from '@tfjs-ssl/engine';
import { type FeedInputs, type ImageFeed, imageFeed } from '@tfjs-ssl/feed';
import { checkSameOnRanks, gatherValues, type World } from '@tfjs-ssl/ops';
import type { RunFolder, Trainer } from '@tfjs-ssl/trainer';
import { buildChain, buildModel, buildTrainer, type Metric, type Model } from './blocks.ts';
import { chooseEngine } from './choose-engine.ts';
import { type Data, openData, sizesIn } from './data.ts';
import { withStochasticDepth } from './depth-feed.ts';
import { changedLines, headerLines, versions } from './header.ts';
import { type Initial, loadInitial } from './init.ts';
import type { ParsedOptions } from './options.ts';
import type { Options } from './options-table.ts';
import { type Output, ProgressBar } from './progress.ts';
import type { Job } from './ranks/job.ts';
import { placesText } from './ranks/places.ts';
import {
  checkNewFolder,
  type Environment,
  openRun,
  readRunConfig,
  runToResume,
  type SavedRun,
  savedRun,
  settingsOf,
} from './run.ts';
import { resolveSettings } from './settings/resolve.ts';
import type { Settings } from './settings/table.ts';
import { UsageError } from './usage-error.ts';

/** Everything that a run needs, opened and built. */
export interface Experiment {
  readonly options: Options;
  readonly settings: Settings;
  /** What an earlier call has left; null for a new run. */
  readonly saved: SavedRun | null;
  readonly engine: EngineInUse;
  readonly environment: Environment;
  readonly data: Data;
  readonly model: Model;
  readonly chain: Chain;
  readonly feed: ImageFeed;
  readonly trainer: Trainer<FeedInputs, Metric>;
  /** The processes that train together. */
  readonly job: Job;
  /** Whether this call trains a run; otherwise it only tries a step or a few. */
  readonly trains: boolean;
  /** Null if this process writes nothing. */
  readonly folder: RunFolder | null;
  /** Neighbours of the kNN evaluation: those of the settings, or all training images if there are fewer. */
  readonly neighbours: number;
  readonly totalSteps: number;
  readonly bar: ProgressBar;
  readonly signal: AbortSignal;
  /** When the program began, in milliseconds of `performance.now()`. */
  readonly start: number;
}

/** An experiment that writes a run folder. */
export type KeptExperiment = Experiment & { readonly folder: RunFolder };

/**
 * Opens engine, images and run folder, builds the model, prints what it found, and lets `use` work with them. Of several ranks, all do so, and
 * the first one alone has the folder.
 *
 * @throws UsageError for options that do not fit; the signal's reason.
 */
export async function withExperiment<Result>(
  parsed: ParsedOptions,
  output: Output,
  signal: AbortSignal,
  job: Job,
  use: (experiment: Experiment) => Promise<Result>,
): Promise<Result> {
  const start = performance.now();
  const print = (line: string) => void output.write(`${line}\n`);
  const { world } = job;
  const trains = !parsed.options.dryRun && !parsed.options.profileStep;
  const saved = await job.fromLeader(async () => {
    const { out } = parsed.options;
    const earlier = runToResume(parsed.options);
    if (earlier !== undefined) return savedRun(earlier, parsed);
    if (trains && out !== undefined) checkNewFolder(out);
    return null;
  });
  const { options } = saved ?? parsed;
  const asked = saved?.settings ?? resolveSettings(parsed.settings);
  const sizes = saved?.sizes ?? sizesIn(parsed.settings);
  checkParts(asked, job);
  const places = world.size > 1 ? job.places() : null;
  const engine = await chooseEngine(options, asked, places ?? undefined);
  const open = () => openData(options, asked, sizes, saved?.data ?? null, print, signal);
  const data = places ? await job.inTurn(places, open) : await open();
  const settings = data.name === 'folder' ? { ...asked, ...sizesOf(data) } : asked;
  try {
    signal.throwIfAborted();
    const perEpoch = checkBatch(settings, data);
    const model = buildModel(settings);
    if (places) checkSameOnRanks(world, 'simclr', { data: data.name, engine: engine.name, ...versions(engine) });
    const init = await initialize(options, saved, model, settings, print);
    const chain = buildChain(settings);
    const feed = withStochasticDepth(await buildFeed(data, settings, chain, { print, signal, world }), model.encoder, {
      seed: settings.seed,
      world,
    });
    // an engine that records its steps exchanges only gradients
    const apart = world.size > 1 && runsAhead();
    const imagesApart = apart ? settings.batchSize / world.size : null;
    const trainer = buildTrainer(settings, model, feed, { world, apart });
    try {
      const environment = {
        ...versions(engine),
        device: engine.device,
        ...(places && { ranks: `${world.size}` }),
        ...(imagesApart !== null && { comparison: `${imagesApart} images of a rank` }),
      };
      const keeps = trains && job.leads;
      const folder = keeps
        ? await openRun({ options, given: parsed.given, settings, sizes, saved, data, init, environment })
        : null;
      const totalSteps = settings.epochs * perEpoch;
      const bar = new ProgressBar(output, totalSteps, settings.batchSize);
      const neighbours = Math.min(settings.neighbours, data.train.length);
      for (const line of headerLines({
        settings,
        engine,
        data,
        model,
        stepsPerEpoch: perEpoch,
        ranks: places && placesText(places.hosts, gatherValues(world, engine.threads) as number[]),
        imagesApart,
        folder: folder?.path ?? null,
      }))
        print(line);
      for (const line of changedLines(settings)) print(line);
      const built = { environment, model, chain, feed, trainer, folder, neighbours, totalSteps, bar };
      return await use({ options, settings, saved, engine, data, signal, job, trains, start, ...built });
    } finally {
      feed.dispose();
      trainer.dispose();
      tf.dispose({ ...model.parameters, ...model.buffers });
    }
  } finally {
    await Promise.all([data.train.close(), data.val.close()]);
  }
}

/** What a folder of images really holds; the settings of a preset are Tiny ImageNet's. */
function sizesOf({ train }: Data): Pick<Settings, 'classes' | 'imagesPerClass'> {
  const counts = train.classNames.map((_, label) => train.labels.filter((of) => of === label).length);
  return { classes: counts.length, imagesPerClass: Math.max(...counts) };
}

/**
 * Loads the weights of `--init`; on a resume only before the first checkpoint.
 *
 * @throws UsageError if they do not fit, or are no longer those that the run started from.
 */
async function initialize(
  { init }: Options,
  saved: SavedRun | null,
  model: Model,
  settings: Settings,
  print: (line: string) => void,
): Promise<Initial | undefined> {
  if (saved && (saved.init === undefined || existsSync(join(saved.folder, 'checkpoints')))) return saved.init;
  const path = saved?.init?.path ?? init;
  if (path === undefined) return undefined;
  const { initial, line } = await loadInitial(path, model, settings, async (folder) =>
    settingsOf(await readRunConfig(folder, '--init')),
  );
  if (saved?.init && saved.init.sha256 !== initial.sha256) {
    throw new UsageError(
      `--resume ${saved.folder}: it has no checkpoint yet, and ${path}, from which it started, holds other weights now. Start a new run with --init ${path}.`,
    );
  }
  print(line);
  return initial;
}

/** Refuses a batch that the ranks cannot divide, before any work is done for it. */
function checkParts({ batchSize }: Settings, { world }: Job): void {
  if (batchSize % world.size === 0) return;
  throw new UsageError(
    `--batch-size must be a multiple of the ${world.size} ranks, which take equal parts, got ${batchSize}. Use another batch size or number of ranks.`,
  );
}

/** @returns the steps of an epoch. */
function checkBatch({ batchSize }: Settings, { train }: Data): number {
  const steps = stepsPerEpoch(train.length, batchSize);
  if (steps > 0) return steps;
  throw new UsageError(`--batch-size: ${batchSize} images are more than the ${train.length} there are. Take fewer.`);
}

/** The source of batches and views. Prints the progress of an upload, and why the engine cannot keep the images. */
async function buildFeed(
  { train }: Data,
  { batchSize, seed }: Settings,
  chain: Chain,
  { print, signal, world }: { print: (line: string) => void; signal: AbortSignal; world: World },
): Promise<ImageFeed> {
  const feed = await imageFeed(train, { chain, batchSize, seed, world, onProgress: reportUpload(print), signal });
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
