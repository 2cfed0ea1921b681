import * as tf from '@tensorflow/tfjs-core';
import { positivePairs } from './pairs.ts';

/**
 * Top-k accuracy of the pretext task: how often a view's partner is among its k most similar views.
 *
 * rank_i = #{ negatives j : logits_ij > logits_i,p(i) }, p(i) = (i + N) mod 2N; accuracy = mean_i [ rank_i < k ]. Ties count for the positive; a row whose logits are NaN counts as wrong.
 * Chance is k / (2N - 1). It measures one batch's discrimination task, depends on N and the temperature of training, and says
 * little about the features: compare encoders by kNN or a linear probe.
 *
 * @param logits - shape [2N, 2N], float32; from {@link infoNCE} or {@link contrastiveLogits}, the diagonal masked.
 * @param k - how many of the best count, an integer >= 1; where k >= 2N - 1 the accuracy is 1.
 * @returns a scalar, float32, a fraction from 0 to 1; not differentiable; the caller disposes it.
 * @throws RangeError if the logits are not a square matrix with an even number of rows or k is not an integer >= 1.
 * @example
 * ```ts
 * import { contrastiveAccuracy, contrastiveLogits } from '@tfjs-ssl/losses';
 * import { useEngine } from '@tfjs-ssl/engine';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * await useEngine('auto');
 * const projections = tf.tensor2d([[1, 0], [0, 1], [1, 0.1], [0.1, 1]]);
 * const logits = contrastiveLogits(projections, { temperature: 0.5 });
 * console.log(await contrastiveAccuracy(logits, 1).array()); // 1
 * ```
 * @see github.com/sthalles/SimCLR, `accuracy` in utils.py, which gives percent.
 */
export function contrastiveAccuracy(logits: tf.Tensor2D, k: number): tf.Scalar {
  const [rows, columns] = logits.shape;
  if (logits.rank !== 2 || rows !== columns || rows < 2 || rows % 2 !== 0) {
    throw new RangeError(
      `contrastiveAccuracy: logits must be square with an even number of rows, got shape [${logits.shape.join(', ')}]. Pass those of infoNCE.`,
    );
  }
  if (!Number.isInteger(k) || k < 1) {
    throw new RangeError(`contrastiveAccuracy: k must be an integer >= 1, got ${k}. Usual are 1 and 5.`);
  }
  return tf.tidy(() => {
    const positives = tf.sum(tf.mul(logits, positivePairs(rows)), 1, true);
    // Counting what does *not* outrank the positive makes a NaN row wrong instead of right: every comparison with NaN is false.
    const beaten = tf.sum(tf.cast(tf.lessEqual(logits, positives), 'float32'), 1);
    return tf.mean(tf.cast(tf.greater(beaten, rows - k), 'float32')) as tf.Scalar;
  });
}
