import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import { cli } from '../src/cli.ts';
import { openJob } from '../src/ranks/job.ts';

/** A folder for each test. */
export let folder: string;

let tinyImagenet: string | undefined;

/** Gives each test a folder of its own and generated images. */
export function useFolder(): void {
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'simclr-'));
    process.env.XDG_CACHE_HOME = join(folder, 'cache');
    tinyImagenet = process.env.TINY_IMAGENET;
    delete process.env.TINY_IMAGENET;
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
    if (tinyImagenet !== undefined) process.env.TINY_IMAGENET = tinyImagenet;
  });
}

/** Four steps an epoch on generated images. */
export const small = ['--classes', '2', '--images-per-class', '8', '--batch-size', '4'];

/** Calls the program; the folder of the test is `FOLDER` in its errors. */
export async function call(
  args: readonly string[],
  signal: AbortSignal = new AbortController().signal,
  onText: (text: string) => void = () => {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  const written = { stdout: '', stderr: '' };
  const stream = (name: keyof typeof written) => ({
    write: (text: string) => {
      written[name] += text;
      onText(text);
    },
  });
  const code = await cli(args, { stdout: stream('stdout'), stderr: stream('stderr') }, signal, await openJob());
  return { code, ...written, stderr: written.stderr.replaceAll(folder, 'FOLDER') };
}

/** The content of a JSON file. */
export const json = (path: string) => JSON.parse(readFileSync(path, 'utf8'));

export { metrics } from './read-run.ts';
