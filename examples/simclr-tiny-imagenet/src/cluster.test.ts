import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { parseOptions } from './options.ts';

const file = (name: string) => fileURLToPath(new URL(`../cluster/${name}`, import.meta.url));

/** Calls the batch file as Slurm does, with an `srun` that ends with a code and a run that has begun or not; returns what it has called. */
function runBatch(
  code: number,
  variables: Record<string, string> = {},
  hasBegun = true,
): { code: number | null; calls: string[] } {
  const folder = mkdtempSync(join(tmpdir(), 'simclr-batch-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const calls = join(folder, 'calls');
  for (const [name, status] of Object.entries({ srun: code, scontrol: 0 })) {
    writeFileSync(join(folder, name), `#!/bin/sh\necho ${name} "$@" >> ${calls}\nexit ${status}\n`, { mode: 0o755 });
  }
  if (hasBegun) {
    mkdirSync(join(folder, 'runs/slurm-7'), { recursive: true });
    writeFileSync(join(folder, 'runs/slurm-7/config.json'), '{}');
  }
  const env = { PATH: `${folder}:/usr/bin:/bin`, SLURM_JOB_ID: '7', SLURM_CPUS_PER_TASK: '4', ...variables };
  const { status } = spawnSync('bash', [file('simclr.sbatch'), '--scale', 'full'], { env, cwd: folder });
  return { code: status, calls: readFileSync(calls, 'utf8').trim().split('\n') };
}

describe('the batch file for Slurm', () => {
  beforeEach(({ skip }) => skip(process.platform === 'win32', 'it is a script for bash'));

  it('starts the tasks so that they end together, and gives the example its arguments', () => {
    const { code, calls } = runBatch(0);
    expect(code).toBe(0);
    expect(calls).toEqual([
      'srun --mpi=pmi2 --cpus-per-task=4 --wait=2 --kill-on-bad-exit=0 node examples/simclr-tiny-imagenet/dist/main.js --out runs/slurm-7 --continue --scale full',
    ]);
  });

  it.each([
    ['a killed task', 137, {}, true, true],
    ['the end of the time', 130, { SLURM_RESTART_COUNT: '9' }, true, true],
    ['the third failure', 1, { SLURM_RESTART_COUNT: '2' }, true, true],
    ['the fourth failure', 1, { SLURM_RESTART_COUNT: '3' }, true, false],
    ['a failure that was allowed none', 1, { RESTARTS: '0' }, true, false],
    ['a failure before there was a run', 137, {}, false, false],
    ['its end', 0, {}, true, false],
  ])('after %s (code %i, %o, a run: %s) goes back into the queue: %s', (_, ended, variables, hasBegun, again) => {
    const { code, calls } = runBatch(ended, variables, hasBegun);
    expect(code).toBe(ended);
    expect(calls.slice(1)).toEqual(again ? ['scontrol requeue 7'] : []);
  });
});

describe('the MPIJob', () => {
  const lines = readFileSync(file('mpi-job.yaml'), 'utf8')
    .split('\n')
    .map((line) => line.replace(/\s+#.*/, ''));
  const from = lines.findIndex((line) => line.trim() === 'command:');
  const to = lines.findIndex((line, at) => at > from && !line.trim().startsWith('- '));
  const command = lines.slice(from + 1, to).map((line) => line.trim().slice(2).replaceAll('"', ''));
  const number = (name: string) => Number(lines.findLast((line) => line.trim().startsWith(`${name}:`))?.split(':')[1]);

  it('starts as many ranks as there are places', () => {
    expect(command.slice(0, 6)).toEqual(['mpirun', '--allow-run-as-root', '--bind-to', 'none', '-n', '2']);
    expect(number('replicas') * number('slotsPerWorker')).toBe(2);
  });

  it('gives the example options that it takes, with which a restart continues the run', () => {
    const parsed = parseOptions(command.slice(command.findIndex((word) => word.endsWith('main.js')) + 1));
    expect(parsed).toMatchObject({ options: { continue: true, out: '/runs/simclr' }, settings: { scale: 'full' } });
  });
});
