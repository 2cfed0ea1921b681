import type * as tf from '@tensorflow/tfjs-core';

/** Arrays that ranks exchange. */
export type ExchangedArray = Uint8Array | Uint16Array | Int32Array | Float32Array | Float64Array;

/**
 * Several processes that train together, as one of them sees it. `openMpi` of `@tfjs-ssl/mpi` gives one; any object with these operations
 * will do.
 *
 * All ranks call the same operations in the same order, with arrays of one type and length. The results must be the same bits on all ranks.
 */
export interface World {
  /** Number of this process, from 0 to `size - 1`. */
  readonly rank: number;
  /** Processes. */
  readonly size: number;
  /** Adds an array over all ranks, in place. */
  allReduce(data: ExchangedArray): void;
  /** Overwrites an array with that of one rank. */
  broadcast(data: ExchangedArray, root: number): void;
  /** Collects the parts of all ranks in their order; `whole` has `size` times the length of `part`. */
  allGather(part: ExchangedArray, whole: ExchangedArray): void;
  /** Adds an array over all ranks and leaves each rank its part; `whole` has `size` times the length of `part`. */
  reduceScatter(whole: ExchangedArray, part: ExchangedArray): void;
  /** Sends part r of an array to rank r, from every rank to every rank. */
  allToAll(sent: ExchangedArray, received: ExchangedArray): void;
}

/** Whose values batch norm takes its statistics from: those of the whole batch, or those of each rank's part of it. */
export type BatchStatistics = 'batch' | 'rank';

/** How the code within {@link acrossRanks} works together with other ranks. */
export interface RanksInStep {
  readonly world: World;
  readonly batchStatistics: BatchStatistics;
  /** Running statistics that moved by a rank's own values: they differ between ranks until somebody averages them. */
  readonly ownStatistics: Set<tf.Variable>;
  /** Whether values can travel between ranks within the step: not if the engine records it. Default: true. */
  readonly exchanges?: boolean;
}

let current: RanksInStep | null = null;

/**
 * Runs a part of a step that all ranks run together. Within it `gatherViews` collects the rows of all ranks, and `batchNormTrain` takes its
 * statistics as `batchStatistics` says. A trainer with a `world` does this around its loss.
 *
 * @param ranks - the other ranks; null to run alone.
 * @param run - the same on all ranks, synchronous.
 * @returns what it returns.
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core';
 * import { startEngine } from '@tfjs-ssl/engine';
 * import { openMpi } from '@tfjs-ssl/mpi';
 * import { acrossRanks, gatherViews } from '@tfjs-ssl/ops';
 *
 * await startEngine('auto');
 * const world = await openMpi();
 * const ranks = { world, batchStatistics: 'batch', ownStatistics: new Set<tf.Variable>() } as const;
 * const rows = acrossRanks(ranks, () => gatherViews(tf.ones([4, 8]))); // [4 * world.size, 8]
 * console.log(rows.shape);
 * world.finalize();
 * ```
 */
export function acrossRanks<Result>(ranks: RanksInStep | null, run: () => Result): Result {
  const before = current;
  current = ranks;
  try {
    return run();
  } finally {
    current = before;
  }
}

/** The ranks that run this step together; null where there is one. */
export function ranksInStep(): RanksInStep | null {
  return current !== null && current.world.size > 1 ? current : null;
}

/** Ranks as an error names them: `rank 1`, `ranks 1, 2`. */
export const showRanks = (ranks: Iterable<number>): string => {
  const list = [...ranks];
  return `rank${list.length > 1 ? 's' : ''} ${list.join(', ')}`;
};
