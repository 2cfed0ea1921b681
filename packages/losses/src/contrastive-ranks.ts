import type * as tf from '@tensorflow/tfjs-core';
import { argumentError, showValue } from '@tfjs-ssl/checks';
import { pairRanks } from '@tfjs-ssl/ops';

/**
 * Ranks of the positives in logits that you already have; {@link ntXentWithRanks} gives the same ranks without logits.
 *
 *     ranks_i = #{ negatives j : logits_ij > logits_i,p(i) },    p(i) = (i + N) mod 2N
 *
 * Ties count in favour of the positive. A row that contains NaN gets rank 2N. The ranks equal those of {@link ntXentWithRanks}, at ties too, because on every engine both come from
 * the same products.
 *
 * @param logits - shape [2N, 2N], float32; from {@link contrastiveLogits}, the diagonal masked.
 * @returns shape [2N], float32; not differentiable; the caller disposes it.
 * @throws RangeError if the logits are not a square matrix with an even number of rows.
 * @example
 * ```ts
 * import { contrastiveLogits, contrastiveRanks } from '@tfjs-ssl/losses';
 * import { startEngine } from '@tfjs-ssl/engine';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * await startEngine('auto');
 * const logits = contrastiveLogits(tf.tensor2d([[1, 0], [0, 1], [1, 0.1], [0.1, 1]]), { temperature: 0.5 });
 * console.log(await contrastiveRanks(logits).data()); // [0, 0, 0, 0]
 * ```
 */
export function contrastiveRanks(logits: tf.Tensor2D): tf.Tensor1D {
  const [rows, columns] = logits.shape;
  if (logits.rank !== 2 || rows !== columns || rows < 2 || rows % 2 !== 0) {
    throw argumentError({
      fn: 'contrastiveRanks',
      argument: 'logits',
      required: 'be square with an even number of rows',
      got: logits.shape,
      shown: `shape ${showValue(logits.shape)}`,
      advice: 'Pass the logits that contrastiveLogits returns.',
    });
  }
  return pairRanks(logits);
}
