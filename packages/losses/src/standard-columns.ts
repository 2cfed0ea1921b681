import * as tf from '@tensorflow/tfjs-core';

/**
 * Columns less their means, over their deviations: batch norm without scale and shift, with its closed-form gradient.
 *
 *     (z - mean) / sqrt(variance + epsilon),    the variance biased (over N)
 *
 * The variance is formed in the scale of the column's largest deviation: squares of large values do not overflow.
 *
 * @param z - shape [N, D], float32.
 * @param epsilon - added to the variance, above 0.
 * @returns shape [N, D], float32; the caller disposes it.
 * @see `torch.nn.functional.batch_norm` with `training=True`
 */
export function standardColumns(z: tf.Tensor2D, epsilon: number): tf.Tensor2D {
  const run = tf.customGrad((x, save) => {
    const centred = tf.sub(x as tf.Tensor, tf.mean(x as tf.Tensor, 0, true));
    const scale = tf.maximum(tf.max(tf.abs(centred), 0, true), 1);
    const scaled = tf.div(centred, scale);
    const variance = tf.add(tf.mean(tf.square(scaled), 0, true), tf.div(tf.div(epsilon, scale), scale));
    const deviation = tf.sqrt(variance);
    const output = tf.div(scaled, deviation);
    (save as tf.GradSaveFunc)([output, tf.mul(scale, deviation)]);
    return {
      value: output,
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) =>
        tf.tidy(() => {
          const [standard, divisor] = saved as [tf.Tensor, tf.Tensor];
          const along = tf.mul(standard, tf.mean(tf.mul(dy, standard), 0, true));
          return tf.div(tf.sub(tf.sub(dy, tf.mean(dy, 0, true)), along), divisor);
        }),
    };
  });
  return run(z) as tf.Tensor2D;
}
