import * as tf from '@tensorflow/tfjs-core';

/**
 * The sigmoid linear unit, x sigmoid(x), also called swish.
 *
 *     y = x / (1 + exp(-x)),  dy/dx = s (1 + x (1 - s)) with s = sigmoid(x)
 *
 * The gradient needs `x` alone, so nothing else is kept for it.
 *
 * @param x - any shape, float32.
 * @returns a new tensor of the shape of `x`, which the caller (or the surrounding `tf.tidy`) disposes.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core';
 * import { startEngine } from '@tfjs-ssl/engine';
 * import { silu } from '@tfjs-ssl/ops';
 *
 * await startEngine('auto');
 * console.log(await silu(tf.tensor1d([-1, 0, 1])).data()); // -0.269, 0, 0.731
 * ```
 *
 * @see `torch.nn.SiLU`; Elfwing et al., "Sigmoid-Weighted Linear Units" (2018).
 */
export function silu<T extends tf.Tensor>(x: T): T {
  const unit = tf.customGrad((xs, save) => {
    const input = xs as tf.Tensor;
    (save as tf.GradSaveFunc)([input]);
    return {
      value: tf.mul(input, tf.sigmoid(input)),
      gradFunc: (dy, saved) => tf.mul(dy, slopeOf((saved as tf.Tensor[])[0] as tf.Tensor)),
    };
  });
  return unit(x) as T;
}

function slopeOf(x: tf.Tensor): tf.Tensor {
  const s = tf.sigmoid(x);
  return tf.mul(s, tf.add(1, tf.mul(x, tf.sub(1, s))));
}
