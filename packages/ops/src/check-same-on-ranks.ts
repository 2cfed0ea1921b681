import { gatherValues } from './gather-values.ts';
import { showRanks, type World } from './world.ts';

/**
 * Checks that settings are the same on all ranks, which would otherwise wait for each other for ever or train different things.
 *
 * @param world - the ranks; all of them call this.
 * @param fn - whose settings they are, for the error.
 * @param settings - by name; values fit for JSON.
 * @throws Error on all ranks that names what differs from the first rank, and where.
 * @example
 * ```ts
 * import { openMpi } from '@tfjs-ssl/mpi';
 * import { checkSameOnRanks } from '@tfjs-ssl/ops';
 *
 * const world = await openMpi();
 * checkSameOnRanks(world, 'my program', { seed: 1, images: 1000 });
 * world.finalize();
 * ```
 */
export function checkSameOnRanks(world: World, fn: string, settings: Readonly<Record<string, unknown>>): void {
  const all = gatherValues(world, settings) as Record<string, unknown>[];
  const first = all[0] as Record<string, unknown>;
  const differences: string[] = [];
  for (const name of new Set(all.flatMap((one) => Object.keys(one)))) {
    const [expected, ...others] = all.map((one) => JSON.stringify(one[name]) ?? 'nothing') as [string, ...string[]];
    const values = new Map<string, number[]>();
    for (const [i, value] of others.entries()) {
      if (value !== expected) values.set(value, [...(values.get(value) ?? []), i + 1]);
    }
    for (const [value, ranks] of values) {
      differences.push(
        `${name} is ${short(value)} on ${showRanks(ranks)} and ${short(JSON.stringify(first[name]) ?? 'nothing')} on rank 0`,
      );
    }
  }
  if (differences.length === 0) return;
  throw new Error(
    `${fn}: all ranks must have the same settings, but ${differences.join('; ')}. Start all ranks with the same command, data and versions.`,
  );
}

const short = (text: string): string => (text.length > 60 ? `${text.slice(0, 57)}...` : text);
