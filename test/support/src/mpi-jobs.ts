import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { basename, delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, describe, it } from 'vitest';

/** A program that starts the ranks of a job. */
export interface MpiLauncher {
  readonly path: string;
  readonly name: string;
}

/** How a job has ended. */
export interface MpiJob {
  /** Exit code of the launcher; null if the job had to be killed. */
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
}

/** Milliseconds after which a job counts as hanging. */
const patience = 200_000;

/** Every `mpiexec` of the path, and those that the environment variable `MPIEXECS` lists. */
export const mpiLaunchers: readonly MpiLauncher[] = findLaunchers();

function findLaunchers(): MpiLauncher[] {
  const folders = (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, 'mpiexec'));
  const named = (process.env.MPIEXECS ?? '').split(delimiter).filter(Boolean);
  const launchers = new Map<string, MpiLauncher>();
  for (const path of [...named, ...folders.filter((file) => existsSync(file)).slice(0, 1)]) {
    const { stdout, error } = spawnSync(path, ['--version'], { encoding: 'utf8' });
    if (error) throw error;
    const name = /Open ?MPI|OpenRTE|PRRTE/i.test(stdout) ? 'Open MPI' : 'MPICH';
    if (!launchers.has(name)) launchers.set(name, { path, name });
  }
  return [...launchers.values()];
}

/** Runs a suite once under every launcher that is there; without one, it is skipped with the reason. */
export function describeLaunchers(title: string, suite: (launcher: MpiLauncher) => void): void {
  if (mpiLaunchers.length === 0) {
    describe(title, () =>
      it('runs under mpiexec', ({ skip }) => skip('no mpiexec is in the PATH: `pip install mpich` brings one')),
    );
    return;
  }
  describe.each(mpiLaunchers)(`${title} under $name`, suite);
}

/**
 * Makes one file of JavaScript of a program that ranks run, from the packages' sources; it is removed after the tests of this file.
 *
 * @param source - address of its TypeScript.
 * @param folder - where to put it. Default: a place that finds the installed packages.
 */
export async function bundleRank(source: URL, folder?: string): Promise<string> {
  const root = fileURLToPath(new URL('../../..', import.meta.url));
  const place = folder ?? mkdtempSync(join(root, 'node_modules/.rank-'));
  if (!folder) afterAll(() => rmSync(place, { recursive: true, force: true }));
  const entry = fileURLToPath(source);
  const outfile = join(place, basename(entry).replace('.ts', '.mjs'));
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    conditions: ['@tfjs-ssl/source'],
    external: ['koffi', 'webgpu', '@tensorflow/*'],
    logLevel: 'error',
  });
  return outfile;
}

/** A job that runs. */
export interface RunningJob {
  /** Everything that it has printed so far. */
  output(): string;
  /** Resolves when the text has been printed; rejects if the job ends without it. */
  printed(text: string): Promise<void>;
  readonly ended: Promise<MpiJob>;
}

/** Starts a command as so many ranks of one job, on this machine. */
export function startRanks(
  launcher: MpiLauncher,
  ranks: number,
  command: readonly string[],
  variables: Readonly<Record<string, string>> = {},
): RunningJob {
  const env = {
    ...process.env,
    // Open MPI refuses root and more ranks than cores, and ties ranks to cores, unless it is told otherwise
    OMPI_ALLOW_RUN_AS_ROOT: '1',
    OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1',
    OMPI_MCA_rmaps_base_oversubscribe: '1',
    OMPI_MCA_hwloc_base_binding_policy: 'none',
    PRTE_MCA_rmaps_default_mapping_policy: ':oversubscribe',
    PRTE_MCA_hwloc_default_binding_policy: 'none',
    ...variables,
  };
  const child = spawn(launcher.path, ['-n', `${ranks}`, ...command], {
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [output, errors] = ['', ''];
  let look = () => {};
  child.stdout.on('data', (chunk) => {
    output += chunk;
    look();
  });
  child.stderr.on('data', (chunk) => {
    errors += chunk;
  });
  const ended = new Promise<MpiJob>((resolve, reject) => {
    const timer = setTimeout(() => process.kill(-(child.pid as number), 'SIGKILL'), patience);
    child.on('error', reject);
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({ code, output, errors });
    });
  });
  return {
    output: () => output,
    ended,
    printed(text) {
      const seen = new Promise<void>((resolve) => {
        look = () => output.includes(text) && resolve();
        look();
      });
      const early = ended.then(() => {
        if (!output.includes(text)) throw new Error(`the job ended without '${text}':\n${output}\n${errors}`);
      });
      return Promise.race([seen, early]);
    },
  };
}

/** Runs a program of Node as so many ranks of one job, and waits until all have ended. */
export function runRanks(
  launcher: MpiLauncher,
  ranks: number,
  command: readonly string[],
  variables: Readonly<Record<string, string>> = {},
): Promise<MpiJob> {
  return startRanks(launcher, ranks, [process.execPath, ...command], variables).ended;
}
