import { argumentError } from '@tfjs-ssl/checks';
import { fileError, makeNewFolder, writeFilesAtomically } from '@tfjs-ssl/files';
import { isObject, oneLine } from './checkpoint-manifest.ts';
import { type ConfigDifference, configDifferences, formatDifferences } from './config-differences.ts';
import * as node from './node.ts';
import { checkUnlocked, lockRun } from './run-lock.ts';
import { isOwnEventFile } from './tensorboard/tensorboard-log.ts';

const { mkdir, readdir, readFile, rm, rmdir } = node.files;
const { join } = node.path;

/** A resolved configuration: `seed` and everything else that decides the numbers of a run. Must be fit for JSON. */
export interface RunConfig {
  readonly seed: number | string;
}

const configFile = 'config.json';
const ownFiles = [configFile, 'metrics.jsonl', 'summary.json', 'model.safetensors', 'checkpoints'];

/** Makes the folder of a new run with its `config.json`: see `RunFolder.create`. */
export async function createConfig(
  path: string,
  config: RunConfig,
  numbered: boolean,
): Promise<{ folder: string; config: RunConfig }> {
  const folder = numbered ? await makeNewFolder(path) : path;
  const made = await makeFolder(folder);
  const file = join(folder, configFile);
  try {
    const lock = await lockRun(folder);
    try {
      await checkNew(folder);
      await writeFilesAtomically([{ path: file, data: toJson(config) }]).catch(async (error) => {
        await rm(file, { force: true }); // it may have its name already
        throw error;
      });
    } finally {
      await lock.release();
    }
  } catch (error) {
    if (made || numbered) await rmdir(folder).catch(() => {}); // it stays where others have put something into it
    throw error;
  }
  return { folder, config: JSON.parse(toJson(config)) };
}

/** The configuration to continue a run with, written where it is new: see `RunFolder.resume`. */
export async function resumeConfig(
  path: string,
  config: RunConfig,
  { mayDiffer = [], replace = [] }: { readonly mayDiffer?: readonly string[]; readonly replace?: readonly string[] },
): Promise<RunConfig> {
  const saved = await readConfig(path);
  const asked: RunConfig = JSON.parse(toJson(config));
  const differences = differencesBut([...mayDiffer, ...replace], saved, asked);
  if (differences.length > 0) {
    throw argumentError({
      fn: 'RunFolder',
      argument: 'config',
      required: `be the configuration that the run in ${path} was started with`,
      got: config,
      shown: `differences:\n${formatDifferences(differences)}`,
      advice: 'Use the same settings, or start a new run in another folder.',
    });
  }
  const kept = { ...saved, ...Object.fromEntries(Object.entries(asked).filter(([name]) => replace.includes(name))) };
  if (configDifferences(saved, kept).length > 0) {
    const lock = await lockRun(path);
    try {
      await writeFilesAtomically([{ path: join(path, configFile), data: toJson(kept) }]);
    } finally {
      await lock.release();
    }
  } else {
    await checkUnlocked(path);
  }
  return kept;
}

/** Differences in other settings than these and those in their groups. */
export function differencesBut(allowed: readonly string[], from: object, to: object): ConfigDifference[] {
  return configDifferences(from, to).filter(
    ({ name }) => !allowed.some((each) => name === each || name.startsWith(`${each}.`)),
  );
}

export const toJson = (value: object): string => `${JSON.stringify(value, null, 2)}\n`;

/** @returns whether it was not there. */
async function makeFolder(path: string): Promise<boolean> {
  try {
    return (await mkdir(path, { recursive: true })) !== undefined;
  } catch (error) {
    throw fileError('make the run folder', path, error);
  }
}

async function checkNew(path: string): Promise<void> {
  const found = (await readdir(path)).filter((name) => ownFiles.includes(name) || isOwnEventFile(name));
  if (found.length === 0) return;
  throw argumentError({
    fn: 'RunFolder',
    argument: 'path',
    required: 'name a folder without a run',
    got: path,
    shown: `${path} with ${found.join(', ')}`,
    advice: 'Resume that run, or choose another folder.',
  });
}

/** The configuration of a run: see `RunFolder.open`. */
export async function readConfig(path: string): Promise<RunConfig> {
  const file = join(path, configFile);
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      throw argumentError({
        fn: 'RunFolder',
        argument: 'path',
        required: 'name the folder of a run',
        got: path,
        shown: `${path} without ${configFile}`,
        advice: 'Start a new run, or correct the path.',
      });
    }
    throw fileError('read', file, error);
  }
  let config: unknown;
  try {
    config = JSON.parse(text);
  } catch (error) {
    throw new Error(
      `RunFolder: ${file} must be JSON (${oneLine((error as Error).message)}). Restore the file, or start a new run in another folder.`,
    );
  }
  if (isObject(config)) return config as RunConfig;
  throw new Error(
    `RunFolder: ${file} must be a JSON object, got ${oneLine(text)}. Restore the file, or start a new run in another folder.`,
  );
}
