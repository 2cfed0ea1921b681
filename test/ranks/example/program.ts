import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type MpiLauncher, type RunningJob, startRanks } from '@tfjs-ssl/testing/mpi-jobs';
import { afterAll, expect } from 'vitest';

export const root = fileURLToPath(new URL('../../..', import.meta.url));
export const main = join(root, 'examples/simclr-tiny-imagenet/dist/main.js');
export const folder = mkdtempSync(join(tmpdir(), 'tfjs-ssl-example-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A small network on generated images, four steps an epoch, whose schedule does not depend on the epochs. */
export const small = [
  ...['--classes', '2', '--images-per-class', '16', '--batch-size', '8', '--epochs', '2'],
  ...['--set', 'encoder.width=4', '--set', 'imageSize=32', '--set', 'schedule.name=constant'],
];

export const variables = { TINY_IMAGENET: '', XDG_CACHE_HOME: join(folder, 'cache') };

/** Starts the example as so many ranks. */
export const start = (
  launcher: MpiLauncher,
  ranks: number,
  args: readonly string[],
  more: Readonly<Record<string, string>> = {},
): RunningJob => startRanks(launcher, ranks, [process.execPath, main, ...args], { ...variables, ...more });

/** Starts the example as so many ranks by npm. */
export const startByNpm = (launcher: MpiLauncher, ranks: number, args: readonly string[]): RunningJob =>
  startRanks(launcher, ranks, ['npm', '--prefix', root, 'run', '--silent', 'simclr', '--', ...args], variables);

/** Starts the example with other arguments, or another variable, on the last of two ranks. */
export function startWithOdd(
  launcher: MpiLauncher,
  args: readonly string[],
  odd: { readonly args?: readonly string[]; readonly variables?: Readonly<Record<string, string>> },
): RunningJob {
  const ofRank = [{ args }, { args: odd.args ?? args, variables: odd.variables }];
  const script = `const { PMI_RANK, OMPI_COMM_WORLD_RANK, PMIX_RANK } = process.env;
    const { args, variables } = JSON.parse(process.argv[1])[OMPI_COMM_WORLD_RANK ?? PMI_RANK ?? PMIX_RANK];
    const env = { ...process.env, ...variables };
    process.exitCode = require('child_process').spawnSync(process.execPath, args, { env, stdio: 'inherit' }).status ?? 1`;
  const given = ofRank.map((one) => ({ ...one, args: [main, ...one.args] }));
  return startRanks(launcher, 2, [process.execPath, '-e', script, JSON.stringify(given)], variables);
}

/** Waits for a run to end well. */
export async function ended(job: RunningJob): Promise<string> {
  const { code, output, errors } = await job.ended;
  expect({ code, errors, output: code === 0 ? '' : output }).toEqual({ code: 0, errors: '', output: '' });
  return output;
}

export const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Processes whose command line names a run: its ranks and what has started them. */
function processesOf(run: string): Array<{ readonly pid: number; readonly program: string }> {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
        return words.includes(run) ? [{ pid: Number(pid), program: words.join(' ') }] : [];
      } catch {
        return []; // it has ended
      }
    });
}

/**
 * Kills one of the two ranks that train a run, and waits until nothing of the run is left.
 *
 * @returns the milliseconds that took.
 */
export async function killRank(run: string, which: number): Promise<number> {
  const ranks = processesOf(run).filter(({ program }) => /^\S*node .*(main\.js|run\.mjs) /.test(program));
  expect(ranks).toHaveLength(2);
  process.kill((ranks[which] as (typeof ranks)[number]).pid, 'SIGKILL');
  const killed = performance.now();
  while (processesOf(run).length > 0 && performance.now() - killed < 5000) await pause(20);
  const left = processesOf(run);
  const gone = performance.now() - killed;
  expect(left).toEqual([]);
  return gone;
}

export { metrics } from '../../../examples/simclr-tiny-imagenet/test-support/read-run.ts';

/** The final weights of a run. */
export const weights = (run: string): string => readFileSync(join(run, 'model.safetensors')).toString('base64');

/** Whether a run has files. */
export const isBegun = (run: string): boolean => existsSync(join(run, 'config.json'));
