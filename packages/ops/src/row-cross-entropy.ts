import * as tf from '@tensorflow/tfjs-core';

/**
 * Computes the mean cross-entropy of rows of logits with one positive each, with a closed-form gradient.
 *
 *     loss = mean_i ( log sum_j exp(logits_ij) - sum_j targets_ij logits_ij )
 *
 * The maximum is subtracted first. Exponentials therefore cannot overflow. If the positive is far ahead (loss near 0), log(1 + small) is
 * not lost in the rounding of large logits.
 *
 * @param logits - shape [N, C], float32.
 * @param targets - the positives as one-hot rows, shape [N, C], float32; no gradient flows to them.
 * @returns a scalar, float32, in nats; the caller disposes it.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core';
 * import { startEngine } from '@tfjs-ssl/engine';
 * import { rowCrossEntropy } from '@tfjs-ssl/ops';
 *
 * await startEngine('auto');
 * const loss = rowCrossEntropy(tf.tensor2d([[1000, 1000]]), tf.tensor2d([[1, 0]]));
 * console.log(await loss.array()); // log 2
 * ```
 */
export function rowCrossEntropy(logits: tf.Tensor2D, targets: tf.Tensor2D): tf.Scalar {
  const loss = tf.customGrad((x, save) => {
    const shifted = tf.sub(x as tf.Tensor, tf.max(x as tf.Tensor, 1, true));
    const exponentials = tf.exp(shifted);
    const sums = tf.sum(exponentials, 1, true);
    const positives = tf.sum(tf.mul(shifted, targets), 1, true);
    (save as tf.GradSaveFunc)([exponentials, sums, targets]);
    return {
      value: tf.mean(tf.sub(tf.log(sums), positives)),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) =>
        tf.tidy(() => {
          const [e, s, t] = saved as [tf.Tensor2D, tf.Tensor, tf.Tensor];
          return tf.mul(tf.sub(tf.div(e, s), t), tf.div(dy, e.shape[0]));
        }),
    };
  });
  return tf.tidy(() => loss(logits)) as tf.Scalar;
}
