import * as tf from '@tensorflow/tfjs-core';
import { argumentError, checkNumber } from '@tfjs-ssl/checks';

/**
 * Top-k accuracy of the pretext task: how often a view's partner is among its k most similar views.
 *
 *     accuracy = mean_i [ ranks_i < k ]
 *
 * Chance is k / (2N - 1). A row of NaN has rank 2N and counts as wrong for every k.
 *
 * The accuracy depends on N and on the temperature of the training, and says little about the features. To compare encoders, use kNN or a linear probe.
 *
 * @param ranks - shape [2N], float32; from {@link ntXentWithRanks} or {@link contrastiveRanks}.
 * @param k - how many of the most similar views count, an integer >= 1. If k >= 2N - 1, all rows are right, except rows of NaN.
 * @returns a scalar, float32, a fraction from 0 to 1; not differentiable; the caller disposes it.
 * @throws RangeError if the ranks are not a vector of even length or k is not an integer >= 1.
 * @example
 * ```ts
 * import { contrastiveAccuracy, ntXentWithRanks } from '@tfjs-ssl/losses';
 * import { startEngine } from '@tfjs-ssl/engine';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * await startEngine('auto');
 * const projections = tf.tensor2d([[1, 0], [0, 1], [1, 0.1], [0.1, 1]]);
 * const { ranks } = ntXentWithRanks(projections, { temperature: 0.5 });
 * console.log(await contrastiveAccuracy(ranks, 1).array()); // 1
 * ```
 * @see github.com/sthalles/SimCLR, `accuracy` in utils.py, which gives percent.
 */
export function contrastiveAccuracy(ranks: tf.Tensor1D, k: number): tf.Scalar {
  if (ranks.rank !== 1 || ranks.size < 2 || ranks.size % 2 !== 0) {
    throw argumentError({
      fn: 'contrastiveAccuracy',
      argument: 'ranks',
      required: 'have shape [2N]',
      got: ranks.shape,
      advice: 'Pass the ranks that ntXentWithRanks or contrastiveRanks returns.',
    });
  }
  checkNumber('contrastiveAccuracy', 'k', k, { min: 1, integer: true }, 'Usual values are 1 and 5.');
  return tf.tidy(() => tf.mean(tf.cast(tf.less(ranks, Math.min(k, ranks.size - 1)), 'float32')) as tf.Scalar);
}
