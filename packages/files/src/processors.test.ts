import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { processorQuota, processors } from './processors.ts';

/** A folder with the files of a container. */
function machine(files: Record<string, string>): string {
  const root = mkdtempSync(join(tmpdir(), 'tfjs-ssl-processors-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
  return root;
}

it.each([
  ['no control groups', {}, Number.POSITIVE_INFINITY],
  ['version 2, seen from inside', { 'proc/self/cgroup': '0::/\n', 'sys/fs/cgroup/cpu.max': '150000 100000\n' }, 1.5],
  ['version 2, no quota', { 'proc/self/cgroup': '0::/\n', 'sys/fs/cgroup/cpu.max': 'max 100000\n' }, Infinity],
  [
    'version 2, the group above is tighter',
    {
      'proc/self/cgroup': '0::/pod/job\n',
      'sys/fs/cgroup/pod/job/cpu.max': '400000 100000\n',
      'sys/fs/cgroup/pod/cpu.max': '50000 100000\n',
    },
    0.5,
  ],
  [
    'version 1',
    {
      'proc/self/cgroup': '5:memory:/job\n4:cpu,cpuacct:/job\n0::/other\n',
      'sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_quota_us': '300000\n',
      'sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_period_us': '100000\n',
      'sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us': '-1\n',
      'sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us': '100000\n',
    },
    3,
  ],
  [
    'version 1, a container that cannot see its group',
    {
      'proc/self/cgroup': '4:cpu:/docker/0123\n',
      'sys/fs/cgroup/cpu/cpu.cfs_quota_us': '200000\n',
      'sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
    },
    2,
  ],
  ['nonsense', { 'proc/self/cgroup': 'x\n0::/\n', 'sys/fs/cgroup/cpu.max': 'a b c' }, Number.POSITIVE_INFINITY],
])('reads the quota of %s', (_, files, expected) => {
  expect(processorQuota(machine(files))).toBe(expected);
});

it('counts whole processors, half of one as one', () => {
  const withQuota = (max: string) =>
    processors(machine({ 'proc/self/cgroup': '0::/\n', 'sys/fs/cgroup/cpu.max': `${max} 100000\n` }));
  expect(withQuota('50000')).toBe(1);
  expect(withQuota('190000')).toBe(1);
  expect(withQuota('max')).toBe(availableParallelism());
  expect(withQuota('99900000')).toBe(availableParallelism());
});

it('keeps to what Slurm has given to the job on this machine', () => {
  onTestFinished(() => void vi.unstubAllEnvs());
  const ofJob = (count: string) => {
    vi.stubEnv('SLURM_CPUS_ON_NODE', count);
    return processors(machine({}));
  };
  expect(ofJob('1')).toBe(1);
  expect(ofJob('9999')).toBe(availableParallelism());
  expect(ofJob('')).toBe(availableParallelism());
});
