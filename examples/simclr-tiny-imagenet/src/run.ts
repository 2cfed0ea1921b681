import { existsSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { configDifferences, formatDifferences, RunFolder } from '@tfjs-ssl/trainer';
import { type Data, type Sizes, sizesIn } from './data.ts';
import type { Initial } from './init.ts';
import type { ParsedOptions } from './options.ts';
import type { OptionName, Options } from './options-table.ts';
import { inTodaysNames, isTree } from './settings/earlier.ts';
import { resolveSettings } from './settings/resolve.ts';
import { flatten, type Settings } from './settings/table.ts';
import type { PartialSummary } from './summary.ts';
import { boundToEpochs } from './tables/schedules.ts';
import { UsageError } from './usage-error.ts';

/** Device and versions, as texts by name. */
export type Environment = Readonly<Record<string, string>>;

/** What `config.json` of a run holds. */
export interface RunConfig extends Settings {
  /** The images, as far as they decide the numbers. */
  readonly images: { readonly data: Data['name']; readonly train: number; readonly val: number };
  /** The weights that the run started from, if they are not random. */
  readonly init?: Initial;
  /** The options that were given, `data` being the path that was found; a resume takes them over. */
  readonly options: Partial<Options> & Sizes;
  /** Device and versions. A resume may run on others, and says so. */
  readonly environment: Environment;
}

/** A run to go on with. */
export interface SavedRun {
  readonly folder: string;
  /** The options of this call, and those of the first one for all that this call does not give. */
  readonly options: Options;
  /** The settings to go on with: those of the run, perhaps with more epochs. */
  readonly settings: Settings;
  /** Whether this call adds epochs. */
  readonly isLonger: boolean;
  /** The numbers of classes and images that the first call gave. */
  readonly sizes: Sizes;
  readonly init: Initial | undefined;
  readonly data: Data['name'];
  /** What it ran on so far. */
  readonly environment: Environment;
  /** kNN of the untrained encoder, if the run has come so far. */
  readonly knnBefore: number | null;
}

/** Options that a resumed run takes over. */
const kept = [
  'engine',
  'threads',
  'requireGpu',
  'cache',
  'skipCorrupt',
  'checkpointEvery',
  'evaluateEvery',
] as const satisfies readonly OptionName[];

/** The run to go on with: that of `--resume`, or with `--continue` the one in the folder of `--out`; undefined for a new run. */
export function runToResume({ resume, out, continue: continues }: Options): string | undefined {
  return continues && out !== undefined && existsSync(join(out, 'config.json')) ? out : resume;
}

/**
 * Reads what an earlier call has left in a run folder.
 *
 * @throws UsageError if there is no run, or this call changes settings of it.
 */
export async function savedRun(folder: string, { options, given, settings }: ParsedOptions): Promise<SavedRun> {
  if (given.has('out') && options.out !== folder) {
    throw new UsageError('--out and --resume name two folders. A resumed run stays in its own: leave --out out.');
  }
  const config = await readRunConfig(folder, '--resume');
  if (options.init !== undefined && resolve(options.init) !== config.init?.path) {
    throw new UsageError(
      `--init ${options.init}: the run in ${folder} started from ${config.init?.path ?? 'random weights'}. Name the same, or another --out.`,
    );
  }
  const { classes: _, imagesPerClass: __, ...earlier } = config.options;
  const summary = await readSummary(folder);
  const saved = settingsOf(config);
  const asked = resolveSettings({ ...flatten(saved), ...settings });
  return {
    folder,
    options: { ...options, ...earlier, ...only(options, given) },
    settings: asked,
    isLonger: checkChanges(folder, saved, asked),
    sizes: sizesIn(config.options),
    init: config.init,
    data: config.images.data,
    environment: config.environment,
    knnBefore: summary?.knn?.before ?? null,
  };
}

/** The settings in a configuration. */
export function settingsOf(config: RunConfig): Settings {
  const { images: _, environment: __, options: ___, init: ____, ...settings } = config;
  return settings;
}

/**
 * @returns whether the run gets more epochs.
 * @throws UsageError if a setting differs, but for more epochs of a schedule that does not depend on them.
 */
function checkChanges(folder: string, saved: Settings, asked: Settings): boolean {
  const changes = configDifferences(saved, asked);
  if (changes.length === 0) return false;
  const isBound = boundToEpochs.includes(saved.schedule.name);
  const [first] = changes;
  if (changes.length === 1 && first?.name === 'epochs' && asked.epochs > saved.epochs && !isBound) return true;
  const aboutEpochs = changes.some(({ name }) => name === 'epochs')
    ? isBound
      ? ` Its schedule, ${saved.schedule.name}, depends on the number of epochs.`
      : ' Of epochs alone there may be more.'
    : '';
  throw new UsageError(
    `--resume ${folder}: a resumed run keeps its settings, got differences:\n${formatDifferences(changes)}\n` +
      `Leave them out.${aboutEpochs} To start a new run from its weights, with settings of your own: npm run simclr -- --init ${folder}`,
  );
}

/**
 * Reads the configuration of a run, in today's names. A setting that a run does not have yet is the preset's.
 *
 * @param option - what names the folder, for the message.
 * @throws UsageError if there is no run, or its configuration is none.
 */
export async function readRunConfig(folder: string, option: string): Promise<RunConfig> {
  const found = await readJson(join(folder, 'config.json'));
  if (!isTree(found) || !isTree(found.images) || !isTree(found.environment) || !isTree(found.options)) {
    throw new UsageError(`${option} ${folder}: there is no run in this folder. Start one with --out ${folder}.`);
  }
  try {
    return fromFile(found as unknown as RunConfig);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(`${option} ${folder}: its config.json cannot be used.\n${error.message}`);
  }
}

/**
 * A configuration of a run, as `RunFolder` holds it, in today's names.
 *
 * @throws UsageError if a setting is not known or wrong.
 */
export function fromFile(config: object): RunConfig {
  const { images, environment, options, init, ...others } = config as RunConfig;
  const settings = resolveSettings(flatten(inTodaysNames(others as unknown as Record<string, unknown>)));
  return { ...settings, images, ...(init && { init }), options, environment };
}

/** The line that goes on with a run. */
export const resumeCommand = (folder: string): string => `  npm run simclr -- --resume ${folder}`;

/** What `summary.json` of a run holds; of an unfinished one at most kNN of the untrained encoder. */
export async function readSummary(folder: string): Promise<PartialSummary | null> {
  return (await readJson(join(folder, 'summary.json'))) as PartialSummary | null;
}

/** Some of the options. */
function only(options: Options, names: Iterable<OptionName>): Partial<Options> {
  return Object.fromEntries([...names].map((name) => [name, options[name]]));
}

/**
 * Refuses a run folder that cannot be started, before any work is done for it.
 *
 * @throws Error if it is a file or already holds a run.
 */
export function checkNewFolder(path: string): void {
  if (existsSync(path) && !statSync(path).isDirectory()) {
    throw new Error(`--out ${path}: this is a file. Choose another folder.`);
  }
  if (existsSync(join(path, 'config.json'))) {
    throw new Error(
      `--out ${path}: this folder already holds a run. Go on with it by --resume ${path}, or choose another one.`,
    );
  }
}

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new Error(
      `${path} cannot be read: ${(error as Error).message}. Put it back, or start a new run in another folder.`,
    );
  }
}

/**
 * Opens the folder of a run: a new one, or the one to go on with.
 *
 * @throws Error if a new one already holds a run or cannot be made, or if the images are not those of the run.
 */
export async function openRun(run: {
  readonly options: Options;
  readonly settings: Settings;
  readonly sizes: Sizes;
  readonly saved: SavedRun | null;
  readonly data: Data;
  readonly init: Initial | undefined;
  readonly given: ReadonlySet<OptionName>;
  readonly environment: Environment;
}): Promise<RunFolder> {
  const { options, settings, sizes, saved, data, init, given, environment } = run;
  const images = { data: data.name, train: data.train.length, val: data.val.length };
  if (saved) {
    // what was saved stays as it is, in the names of its time: its checkpoints hold the same
    const config = (await RunFolder.open(saved.folder)).config;
    const { epochs, classes, imagesPerClass } = settings;
    return RunFolder.resume(
      saved.folder,
      { ...config, images, epochs, classes, imagesPerClass },
      { replace: ['epochs'] },
    );
  }
  const config: RunConfig = {
    ...settings,
    images,
    ...(init && { init }),
    options: {
      ...only(
        options,
        kept.filter((name) => given.has(name)),
      ),
      ...sizes,
      ...(data.path === null ? {} : { data: data.path }),
    },
    environment,
  };
  return RunFolder.create(options.out ?? defaultFolder(settings), config, { numbered: options.out === undefined });
}

function defaultFolder({ preset, scale }: Settings): string {
  const time = new Date().toISOString().slice(0, 19).replace('T', '-').replaceAll(':', '');
  return join('runs', `${preset}-${scale}-${time}`);
}
