/** What has started this process as one of several. */
export interface Launcher {
  readonly name: 'Open MPI' | 'PMI' | 'PMIx' | 'Slurm';
  /** Processes of the job, if the launcher tells. */
  readonly size: number | undefined;
}

/**
 * Finds out from the environment whether this process is part of a job.
 *
 * @param environment - variables of this process.
 * @returns null if it runs alone.
 */
export function launcherOf(environment: Readonly<Record<string, string | undefined>>): Launcher | null {
  const size = (name: string): number | undefined => Number(environment[name]) || undefined;
  const tasks = size('SLURM_STEP_NUM_TASKS');
  if (environment.OMPI_COMM_WORLD_RANK !== undefined) {
    return { name: 'Open MPI', size: size('OMPI_COMM_WORLD_SIZE') };
  }
  if (environment.PMI_RANK !== undefined) return { name: 'PMI', size: size('PMI_SIZE') };
  if (environment.PMIX_RANK !== undefined) return { name: 'PMIx', size: tasks };
  // srun without a plugin for MPI; a script of sbatch has no such step
  if (environment.SLURM_PROCID !== undefined && tasks !== undefined && tasks > 1) return { name: 'Slurm', size: tasks };
  return null;
}
