import type { World } from './world.ts';

/**
 * Collects a value of every rank.
 *
 * @param world - the ranks; all of them call this.
 * @param value - anything fit for JSON; it may differ between ranks in size and form.
 * @returns the values in the order of the ranks, as JSON keeps them.
 * @example
 * ```ts
 * import { hostname } from 'node:os';
 * import { openMpi } from '@tfjs-ssl/mpi';
 * import { gatherValues } from '@tfjs-ssl/ops';
 *
 * const world = await openMpi();
 * console.log(gatherValues(world, hostname())); // one name for each rank
 * world.finalize();
 * ```
 */
export function gatherValues(world: World, value: unknown): unknown[] {
  const bytes = new TextEncoder().encode(JSON.stringify(value));
  const lengths = new Int32Array(world.size);
  world.allGather(Int32Array.of(bytes.length), lengths);
  const longest = Math.max(...lengths);
  const [own, all] = [new Uint8Array(longest), new Uint8Array(longest * world.size)];
  own.set(bytes);
  world.allGather(own, all);
  const texts = Array.from(lengths, (length, rank) =>
    new TextDecoder().decode(all.subarray(rank * longest, rank * longest + length)),
  );
  return texts.map((text) => JSON.parse(text));
}
