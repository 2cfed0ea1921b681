import * as tf from '@tensorflow/tfjs-core';
import { argumentError } from '@tfjs-ssl/checks';
import { unitRows } from '@tfjs-ssl/ops';
import { checkVectors } from './check-arguments.ts';

/**
 * Negative cosine similarity of predictions and their targets. This is the loss of SimSiam and, up to a factor and a constant, of BYOL.
 *
 *     loss = -mean_i cos(p_i, z_i),    norms below 1e-12 count as 1e-12
 *
 * No gradient flows to the targets. SimSiam's loss is half the sum of both directions. BYOL's error 2 - 2 cos is 2 + 2 loss for each direction.
 *
 * @param predictions - p, shape [N, D], float32.
 * @param targets - z, shape [N, D], float32; row i belongs to prediction i.
 * @returns a scalar from -1 to 1, float32; the caller disposes it.
 * @throws RangeError if shapes do not fit; TypeError if a tensor is not float32.
 * @example
 * ```ts
 * import { negativeCosine } from '@tfjs-ssl/losses';
 * import { startEngine } from '@tfjs-ssl/engine';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * await startEngine('auto');
 * const predictions = tf.tensor2d([[2, 0], [0, 1]]);
 * const targets = tf.tensor2d([[3, 0], [1, 0]]);
 * console.log(await negativeCosine(predictions, targets).array()); // -0.5
 * ```
 * @see Chen and He 2021, "Exploring Simple Siamese Representation Learning", eq. 1; Grill et al. 2020, "Bootstrap Your Own Latent", eq. 2.
 */
export function negativeCosine(predictions: tf.Tensor2D, targets: tf.Tensor2D): tf.Scalar {
  checkVectors('negativeCosine', 'predictions', predictions);
  const [rows, columns] = predictions.shape;
  checkVectors('negativeCosine', 'targets', targets, columns);
  if (targets.shape[0] !== rows) {
    throw argumentError({
      fn: 'negativeCosine',
      argument: 'targets',
      required: `have as many rows as predictions, ${rows}`,
      got: targets.shape[0],
      advice: 'Row i is the target of prediction i.',
    });
  }
  return tf.tidy(() =>
    tf.neg(tf.mean(tf.sum(tf.mul(unitRows(predictions), constant(unitRows(targets))), 1))),
  ) as tf.Scalar;
}

/** The same tensor with a gradient of zero. */
function constant(x: tf.Tensor): tf.Tensor {
  return tf.customGrad((value) => ({
    value: tf.clone(value as tf.Tensor),
    gradFunc: (dy: tf.Tensor) => tf.zerosLike(dy),
  }))(x);
}
