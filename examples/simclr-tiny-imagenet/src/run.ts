import { existsSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RunFolder } from '@tfjs-ssl/trainer';
import type { Data } from './data.ts';
import type { Options, ParsedOptions } from './options.ts';
import type { Settings } from './settings.ts';
import type { PartialSummary } from './summary.ts';
import { UsageError } from './usage-error.ts';

/** What a run runs on: texts by name. */
export type Environment = Readonly<Record<string, string>>;

/** What `config.json` of a run holds. */
export interface RunConfig extends Settings {
  /** The images, as far as they decide the numbers. */
  readonly images: { readonly data: Data['name']; readonly train: number; readonly val: number };
  /** The options that were given, `data` being the path that was found; a resume takes them over. */
  readonly options: Partial<Options>;
  /** Device and versions; they may be others on a resume, which is said. */
  readonly environment: Environment;
}

/** A run to go on with. */
export interface SavedRun {
  /** The options of this call, with those of the first one where this call gives none. */
  readonly options: Options;
  /** The settings to go on with: those of the run, with what this call asks to be different (which is then refused). */
  readonly settings: Settings;
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
  'classes',
  'imagesPerClass',
  'checkpointEvery',
  'evaluateEvery',
] as const;

/** Settings that an option of the same name decides. */
const decided = ['preset', 'scale', 'precision', 'seed', 'classes', 'imagesPerClass', 'epochs', 'batchSize'] as const;

/**
 * Reads what an earlier call has left in a run folder.
 *
 * @throws UsageError if there is no run.
 */
export async function savedRun(folder: string, { options, given }: ParsedOptions): Promise<SavedRun> {
  if (given.has('out') && options.out !== folder) {
    throw new UsageError('--out and --resume name two folders. A resumed run stays in its own: leave --out out.');
  }
  const { images, environment, options: earlier, ...settings } = await readRunConfig(folder, '--resume');
  const asked = Object.fromEntries(decided.filter((name) => given.has(name)).map((name) => [name, options[name]]));
  const summary = await readSummary(folder);
  return {
    options: { ...options, ...earlier, ...only(options, given) },
    settings: { ...settings, ...asked },
    data: images.data,
    environment,
    knnBefore: summary?.knn?.before ?? null,
  };
}

/**
 * Reads the configuration of a run.
 *
 * @param option - what names the folder, for the message.
 * @throws UsageError if there is no run.
 */
export async function readRunConfig(folder: string, option: string): Promise<RunConfig> {
  const config = (await readJson(join(folder, 'config.json'))) as RunConfig | null;
  if (!(config?.images && config.environment && config.options))
    throw new UsageError(`${option} ${folder}: there is no run in this folder. Start one with --out ${folder}.`);
  return config;
}

/** The line that goes on with a run. */
export const resumeCommand = (folder: string): string => `  npm run simclr -- --resume ${folder}`;

/** What `summary.json` of a run holds: of one that has not ended, kNN of the untrained encoder at most. */
export async function readSummary(folder: string): Promise<PartialSummary | null> {
  return (await readJson(join(folder, 'summary.json'))) as PartialSummary | null;
}

/** Some of the options. */
function only(options: Options, names: Iterable<keyof Options>): Partial<Options> {
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
 * @throws Error if a new one already holds a run or cannot be made, or where the settings are not those of the run.
 */
export async function openRun(run: {
  readonly options: Options;
  readonly settings: Settings;
  readonly saved: SavedRun | null;
  readonly data: Data;
  readonly given: ReadonlySet<keyof Options>;
  readonly environment: Environment;
}): Promise<RunFolder> {
  const { options, settings, saved, data, given, environment } = run;
  const config: RunConfig = {
    ...settings,
    images: { data: data.name, train: data.train.length, val: data.val.length },
    options: {
      ...only(
        options,
        kept.filter((name) => given.has(name)),
      ),
      ...(data.path === null ? {} : { data: data.path }),
    },
    environment,
  };
  if (saved) return RunFolder.resume(options.resume as string, config, { mayDiffer: ['environment', 'options'] });
  return RunFolder.create(options.out ?? defaultFolder(settings), config, {
    numbered: options.out === undefined,
  });
}

function defaultFolder({ preset, scale }: Settings): string {
  const time = new Date().toISOString().slice(0, 19).replace('T', '-').replaceAll(':', '');
  return join('runs', `${preset}-${scale}-${time}`);
}
