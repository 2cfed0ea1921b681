import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { candidates } from './find-library.ts';
import { launcherOf } from './launcher.ts';
import { parseVersion } from './library-version.ts';

const prefix = mkdtempSync(join(tmpdir(), 'tfjs-ssl-mpi-'));
for (const folder of ['bin', 'lib', 'other']) mkdirSync(join(prefix, folder));
for (const file of ['bin/mpiexec', 'lib/libmpi.so.12', 'lib/libmpi_abi.so.1']) writeFileSync(join(prefix, file), '');
afterAll(() => rmSync(prefix, { recursive: true, force: true }));

it('looks beside mpiexec first, then where the system does', () => {
  const path = [join(prefix, 'other'), '', join(prefix, 'bin')].join(delimiter);
  const names = ['libmpi_abi.so.1', 'libmpi.so.40', 'libmpi.so.12'];
  expect(candidates({ name: 'PMI', size: 2 }, path, [])).toEqual([
    join(prefix, 'lib/libmpi_abi.so.1'),
    join(prefix, 'lib/libmpi.so.12'),
    ...names,
  ]);
  expect(candidates({ name: 'PMIx', size: 2 }, join(prefix, 'other'), [])).toEqual(names);
  expect(candidates({ name: 'Open MPI', size: 2 }, '', [])).toEqual([
    'libmpi.so.40',
    'libmpi_abi.so.1',
    'libmpi.so.12',
  ]);
});

it('looks beside the launcher before that', () => {
  const found = candidates({ name: 'PMI', size: 2 }, '', [join(prefix, 'bin')]);
  expect(found[0]).toBe(join(prefix, 'lib/libmpi_abi.so.1'));
});

it('knows a job by the variables of its launcher', () => {
  expect(launcherOf({})).toBeNull();
  expect(launcherOf({ PMI_RANK: '0', PMI_SIZE: '4' })).toEqual({ name: 'PMI', size: 4 });
  // Open MPI sets those of PMIx too, and a job within an allocation of Slurm has the variables of its outer step
  const openMpi = { OMPI_COMM_WORLD_RANK: '1', OMPI_COMM_WORLD_SIZE: '2', PMIX_RANK: '1' };
  const slurm = { SLURM_PROCID: '0', SLURM_STEP_NUM_TASKS: '3' };
  expect(launcherOf({ ...openMpi, ...slurm })).toEqual({ name: 'Open MPI', size: 2 });
  expect(launcherOf({ PMI_RANK: '0', PMI_SIZE: '4', ...slurm })).toEqual({ name: 'PMI', size: 4 });
  expect(launcherOf({ PMIX_RANK: '0', ...slurm })).toEqual({ name: 'PMIx', size: 3 });
  expect(launcherOf({ PMIX_RANK: '0' })).toEqual({ name: 'PMIx', size: undefined });
  expect(launcherOf(slurm)).toEqual({ name: 'Slurm', size: 3 });
});

it('is alone in a script of sbatch and in a shell of srun', () => {
  expect(launcherOf({ SLURM_PROCID: '0', SLURM_NTASKS: '4' })).toBeNull();
  expect(launcherOf({ SLURM_PROCID: '0', SLURM_STEP_NUM_TASKS: '1' })).toBeNull();
});

it.each([
  ['MPICH Version:      5.0.2\nMPICH Release date: ...', 'MPICH', '5.0.2'],
  ['MPICH Version:\t4.0.2\nMPICH Release date:\t...', 'MPICH', '4.0.2'],
  ['Open MPI v4.1.4, package: Debian OpenMPI, ident: 4.1.4', 'Open MPI', '4.1.4'],
  ['Open MPI v5.0.0rc9, package: ...', 'Open MPI', '5.0.0rc9'],
  ['Intel(R) MPI Library 2021.11 for Linux* OS\n', 'Intel(R) MPI', '2021.11'],
  ['MVAPICH2 Version      :\t2.3.7\n', 'MVAPICH2', '2.3.7'],
  ['An MPI of tomorrow\nand more', 'An MPI of tomorrow', ''],
])('reads %j', (text, implementation, version) => {
  expect(parseVersion(text)).toEqual({ implementation, version });
});
