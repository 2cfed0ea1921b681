import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { fnv1a, removeLeftSegments } from './left-segments.ts';

/** A folder of shared memory, with when each file was made in seconds. */
function shared(files: Readonly<Record<string, number>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'tfjs-ssl-mpi-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const [name, seconds] of Object.entries(files)) {
    writeFileSync(join(folder, name), '');
    utimesSync(join(folder, name), seconds, seconds);
  }
  return folder;
}

// the names that MPICH 5.0 gave under Slurm 22.05 in the jobs 21, 7 and 12
const [ofJob, alsoOfJob] = ['mpich_shm_57569962_0', 'mpich_vci_57569962_3'];
const others = { mpich_shm_14f46f28_0: 1, mpich_shm_fb904474_0: 1, mpich_shm_575699621_0: 1, 'something else': 1 };
const task = { PMI_FD: '12', SLURM_JOB_ID: '21', SLURM_STEP_ID: '0' };

it('hashes as the published values say', () => {
  expect([fnv1a(''), fnv1a('a'), fnv1a('foobar')]).toEqual([0x811c9dc5, 0xe40c292c, 0xbf9cf968]);
});

it('removes what an earlier run of the job has left, and nothing else', () => {
  const folder = shared({ [ofJob]: 1, [alsoOfJob]: 1, ...others });
  removeLeftSegments(task, folder, 2000);
  expect(readdirSync(folder).sort()).toEqual(Object.keys(others).sort());
});

it('leaves what a rank of this run has made', () => {
  const folder = shared({ [ofJob]: 3, [alsoOfJob]: 1 });
  removeLeftSegments(task, folder, 2000);
  expect(readdirSync(folder)).toEqual([ofJob]);
});

it('leaves everything outside a task of Slurm', () => {
  const folder = shared({ [ofJob]: 1 });
  removeLeftSegments({}, folder, 2000);
  removeLeftSegments({ PMI_FD: '12', PMI_RANK: '0' }, folder, 2000);
  removeLeftSegments(task, folder); // no process of Slurm is above this one
  removeLeftSegments(task, join(folder, 'nowhere'), 2000);
  expect(readdirSync(folder)).toEqual([ofJob]);
});
