import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { mpiLaunchers } from '@tfjs-ssl/testing/mpi-jobs';
import { describe, expect, it } from 'vitest';
import { folder, killRank, main, metrics, pause, root, small, variables, weights } from './program.ts';

const batch = join(root, 'examples/simclr-tiny-imagenet/cluster/simclr.sbatch');

/** What a command of Slurm prints. */
function slurm(command: string, args: readonly string[], more: Readonly<Record<string, string>> = {}): string {
  const { stdout, stderr, status, error } = spawnSync(command, args, {
    encoding: 'utf8',
    cwd: root,
    env: { ...process.env, ...variables, ...more },
  });
  if (error) throw error;
  const errors = stderr.replaceAll(/^(Building|Built|Waiting) .*\n/gm, '');
  expect({ errors, status }, stdout).toEqual({ errors: '', status: 0 });
  return stdout;
}

/** What is missing; null if jobs can be started. */
function missing(): string | null {
  const { stdout, error } = spawnSync('scontrol', ['ping'], { encoding: 'utf8' });
  if (error) return 'Slurm is not installed';
  if (!stdout.includes('UP')) return 'no controller of Slurm answers';
  return mpiLaunchers.some(({ name }) => name === 'MPICH') ? null : 'there is no MPICH, which speaks PMI 2';
}

/** Reads until a file has a text. */
async function printed(file: string, text: string): Promise<void> {
  while (!existsSync(file) || !readFileSync(file, 'utf8').includes(text)) await pause(20);
}

const reason = missing();
const setting = [...small, '--epochs', '15', '--checkpoint-every', '3'];

describe('The example under Slurm', () => {
  const [whole, run] = [join(folder, 'slurm-unbroken'), join(folder, 'slurm-batch')];

  it('trains on two tasks of srun', ({ skip }) => {
    skip(reason !== null, reason ?? '');
    const tasks = ['-n', '2', '--cpus-per-task=1', '--mpi=pmi2', process.execPath, main];
    const output = slurm('srun', [...tasks, ...setting, '--out', whole]);
    expect(output).toContain(`  ranks       2 on ${hostname()}, 1 thread each\n`);
    expect(metrics(whole)).toHaveLength(60);
  });

  it('starts by npm on two tasks', ({ skip }) => {
    skip(reason !== null, reason ?? '');
    const npm = ['npm', 'run', '--silent', 'simclr', '--'];
    const out = join(folder, 'slurm-npm');
    slurm('srun', ['-n', '2', '--mpi=pmi2', ...npm, ...small, '--out', out]);
    expect(metrics(out)).toEqual(metrics(whole).slice(0, 8));
  });

  it('goes back into the queue if a task is killed, and ends as an unbroken run', async ({ skip }) => {
    skip(reason !== null, reason ?? '');
    const log = join(folder, 'slurm.log');
    const job = ['--nodes=1', '--ntasks-per-node=2', '--cpus-per-task=1', `--output=${log}`, batch];
    const id = slurm('sbatch', ['--parsable', ...job, ...setting], { RUN: run }).trim();
    await printed(log, '[Epoch 5] mean');
    const gone = await killRank(run, 1);
    await printed(log, 'goes back into the queue');
    await printed(log, 'Resuming');
    const state = () => /JobState=(\w+)/.exec(slurm('scontrol', ['show', 'job', id]))?.[1];
    while (/RUNNING|COMPLETING/.test(state() as string)) await pause(100);
    expect(state()).toBe('COMPLETED');
    console.log(`Slurm: all gone ${gone.toFixed(0)} ms after the kill`);
    expect(metrics(run)).toEqual(metrics(whole));
    expect(weights(run) === weights(whole), 'final weights, bit for bit').toBe(true);
  });
});
