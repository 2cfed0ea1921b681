import * as tf from '@tensorflow/tfjs-core';
import { argumentError } from '@tfjs-ssl/checks';
import { stopGradient, unitRows } from '@tfjs-ssl/ops';
import { checkFeatures } from './check-arguments.ts';

/**
 * How far normalised features spread: the standard deviation of every dimension, and the mean of these. The first sign of collapse.
 *
 *     mean_j std_i u_ij,    u_i = z_i / max(|z_i|, 1e-12),    std over rows - 1
 *
 * 0: all rows point the same way, the encoder has collapsed. About 1 / sqrt(D): they point everywhere. It says nothing of dimensions that
 * always move together; {@link effectiveRank} does.
 *
 * It is cheap, a few passes over the features, and a constant to the gradient. In a training, return it as a metric:
 * `{ loss, metrics: { deviation: featureDeviation(projections) } }`.
 *
 * @param features - shape [rows, D], float32, at least 2 rows; features, projections or predictions. They need not be normalised.
 * @returns a scalar, float32; the caller disposes it.
 * @throws RangeError if the rank is not 2, or there are fewer than 2 rows.
 * @example
 * ```ts
 * import { featureDeviation } from '@tfjs-ssl/evaluation';
 * import { startEngine } from '@tfjs-ssl/engine';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * await startEngine('auto');
 * console.log(await featureDeviation(tf.ones([8, 4])).array()); // 0: collapsed
 * console.log(await featureDeviation(tf.randomNormal([512, 4])).array()); // about 0.5
 * ```
 * @see Chen and He 2021, "Exploring Simple Siamese Representation Learning", figure 2; lightly's `std_of_l2_normalized`.
 */
export function featureDeviation(features: tf.Tensor2D): tf.Scalar {
  checkFeatures('featureDeviation', 'features', features);
  const [rows] = features.shape;
  if (rows < 2) {
    throw argumentError({
      fn: 'featureDeviation',
      argument: 'features',
      required: 'have at least 2 rows',
      got: rows,
      advice: 'One row has no deviation: pass the features of a batch.',
    });
  }
  return stopGradient(() => {
    const unit = unitRows(features);
    const squares = tf.sum(tf.square(tf.sub(unit, tf.mean(unit, 0, true))), 0);
    return tf.mean(tf.sqrt(tf.div(squares, rows - 1))) as tf.Scalar;
  });
}
