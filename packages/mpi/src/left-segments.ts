import { readdirSync, readFileSync, statSync, unlinkSync } from 'node:fs';
import { uptime } from 'node:os';
import { join } from 'node:path';
import { ancestors } from './ancestors.ts';

/** Clock ticks in a second, as `/proc` counts them. */
const ticks = 100;

/**
 * Removes the shared memory that an earlier run of this Slurm job has left on this host.
 *
 * MPICH names the memory that the ranks of a host share by a hash of the job's name, which under Slurm is `JOB.STEP`. Ranks that are killed leave it
 * there, and those of a requeued job, which has the same name, would take it for theirs and fail in `MPI_Init`. What the other ranks of this run have made
 * meanwhile is younger than the run and stays.
 *
 * @param environment - variables of this process.
 * @param folder - where the system keeps shared memory.
 * @param start - when Slurm has started this run on this host, in milliseconds of `Date.now()`.
 */
export function removeLeftSegments(
  environment: Readonly<Record<string, string | undefined>>,
  folder = '/dev/shm',
  start: number = startOfStep(),
): void {
  const { PMI_FD: connection, SLURM_JOB_ID: job, SLURM_STEP_ID: step } = environment;
  if (connection === undefined || job === undefined || step === undefined) return;
  const hash = fnv1a(`${job}.${step}`).toString(16);
  const isOfJob = new RegExp(`^mpich_(shm|vci)_${hash}_\\d+$`);
  for (const name of namesIn(folder).filter((found) => isOfJob.test(found))) {
    const path = join(folder, name);
    try {
      if (statSync(path).mtimeMs < start) unlinkSync(path);
    } catch {} // another rank has removed it
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // this system keeps shared memory elsewhere
  }
}

/** The hash of Fowler, Noll and Vo, 32 bits, version 1a. */
export function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash;
}

/** When the process of Slurm above this one has started; the beginning of time without one, so that nothing is older. */
function startOfStep(): number {
  for (const pid of ancestors()) {
    try {
      const [, name, rest] = /^\d+ \((.*)\) (.*)$/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
      if (name !== 'slurmstepd') continue;
      const sinceBoot = Number(rest?.split(' ')[19]) / ticks;
      return Date.now() - 1000 * (uptime() - sinceBoot);
    } catch {} // it has ended
  }
  return Number.NEGATIVE_INFINITY;
}
