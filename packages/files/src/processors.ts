import { environment, nodeModule } from './node-module.ts';

/**
 * Number of processors that this process may use: those of the machine, or fewer if its container has a quota or Slurm has given its job
 * fewer of this machine.
 *
 * More threads than a quota pays for only wait: the system stops all of them for the rest of each period. Slurm may leave it to its jobs to
 * keep to what they have; it says so in `SLURM_CPUS_ON_NODE`.
 *
 * @param root - as of `processorQuota`.
 * @returns 1 or more; half a processor is one.
 * @example
 * ```ts
 * import { processors } from '@tfjs-ssl/files';
 *
 * console.log(processors());
 * ```
 */
export function processors(root = ''): number {
  const there = nodeModule('node:os')?.availableParallelism() ?? globalThis.navigator?.hardwareConcurrency ?? 1;
  const ofJob = Number(environment('SLURM_CPUS_ON_NODE')) || Number.POSITIVE_INFINITY;
  return Math.max(1, Math.min(there, ofJob, Math.floor(processorQuota(root))));
}

/**
 * Processors that the control groups of this process pay for: Linux's cgroups, version 2 (`cpu.max`) and 1
 * (`cpu.cfs_quota_us`), of the group and all above it.
 *
 * @param root - folder in whose `proc` and `sys` to look; for tests.
 * @returns a fraction; Infinity if there is no quota or nothing to read.
 */
export function processorQuota(root = ''): number {
  const lines = read(`${root}/proc/self/cgroup`)?.split('\n') ?? [];
  let quota = Number.POSITIVE_INFINITY;
  for (const line of lines) {
    // 0::/path of version 2, or number:cpu,cpuacct:/path of version 1
    const [, controllers, group] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (controllers === undefined || group === undefined) continue;
    if (controllers === '') {
      for (const folder of upwards(group)) {
        const [time, period] = read(`${root}/sys/fs/cgroup${folder}/cpu.max`)?.trim().split(' ') ?? [];
        quota = Math.min(quota, share(time, period));
      }
    } else if (controllers.split(',').includes('cpu')) {
      for (const mount of [controllers, 'cpu']) {
        for (const folder of upwards(group)) {
          const at = `${root}/sys/fs/cgroup/${mount}${folder}`;
          quota = Math.min(quota, share(read(`${at}/cpu.cfs_quota_us`), read(`${at}/cpu.cfs_period_us`)));
        }
      }
    }
  }
  return quota;
}

/** A group and those above it; a container that cannot see its group finds what counts for it at the top. */
function upwards(group: string): string[] {
  const parts = group.split('/').filter(Boolean);
  return Array.from({ length: parts.length + 1 }, (_, i) =>
    parts
      .slice(0, parts.length - i)
      .map((part) => `/${part}`)
      .join(''),
  );
}

/** Infinity for `max`, -1 and what is no number. */
function share(time: string | undefined, period: string | undefined): number {
  const value = Number(time) / Number(period);
  return value > 0 ? value : Number.POSITIVE_INFINITY;
}

function read(path: string): string | undefined {
  try {
    return nodeModule('node:fs')?.readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
