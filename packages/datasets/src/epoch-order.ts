import { checkNumber } from '@tfjs-ssl/checks';
import seedrandom from 'seedrandom';

/** Options of `epochOrder`. */
export interface EpochOrderOptions {
  /** Number of images. */
  readonly length: number;
  readonly seed: number | string;
  /** Counted from 0. */
  readonly epoch: number;
}

/**
 * Returns the order in which an epoch visits the images: a permutation that depends only on seed, epoch and length. A resumed run
 * therefore continues in the same order as an uninterrupted one.
 *
 * A Fisher-Yates shuffle driven by seedrandom's `alea`.
 *
 * @returns the numbers 0 to length - 1, shuffled; shape [length], int32.
 * @throws RangeError for a length or an epoch that is not an integer >= 0.
 * @example
 * ```ts
 * import { epochOrder } from '@tfjs-ssl/datasets';
 *
 * console.log(epochOrder({ length: 5, seed: 1, epoch: 0 }));
 * ```
 */
export function epochOrder({ length, seed, epoch }: EpochOrderOptions): Int32Array {
  for (const [name, value] of Object.entries({ length, epoch })) {
    checkNumber('epochOrder', name, value, { min: 0, integer: true }, 'Both count from 0.');
  }
  const random = seedrandom.alea(`epoch order, seed ${seed}, epoch ${epoch}`);
  const order = Int32Array.from({ length }, (_, i) => i);
  for (let last = length - 1; last > 0; last--) {
    const chosen = Math.floor(random() * (last + 1));
    [order[last], order[chosen]] = [order[chosen]!, order[last]!];
  }
  return order;
}
