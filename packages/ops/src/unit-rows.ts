import * as tf from '@tensorflow/tfjs-core';

/** Norms below this count as this, as in `torch.nn.functional.normalize`. */
const SMALLEST_NORM = 1e-12;

/** Rows as u = z / (scale length). Neither factor leaves the range of float32, whatever the norm. */
interface Normalized {
  readonly unit: tf.Tensor2D;
  /** Largest magnitude of the row, or the smallest norm. */
  readonly scale: tf.Tensor2D;
  /** Norm of the row in that scale, at least 1. */
  readonly length: tf.Tensor2D;
  /** 1 if the norm divides the row, 0 if the constant does. */
  readonly divided: tf.Tensor2D;
}

function normalize(z: tf.Tensor2D): Normalized {
  const scale = tf.maximum(tf.max(tf.abs(z), 1, true), SMALLEST_NORM) as tf.Tensor2D;
  const scaled = tf.div(z, scale);
  const norm = tf.sqrt(tf.sum(tf.square(scaled), 1, true));
  const length = tf.maximum(norm, 1) as tf.Tensor2D;
  const divided = tf.logicalOr(tf.greater(scale, SMALLEST_NORM), tf.greater(norm, 1));
  const unit = tf.div(scaled, length) as tf.Tensor2D;
  return { unit, scale, length, divided: tf.cast(divided, 'float32') as tf.Tensor2D };
}

/**
 * The gradient of {@link unitRows} at z: du minus its part along u, divided by the norm. If the norm is below the smallest one, the divisor is a
 * constant and nothing is subtracted.
 */
export function unitRowsGradient(z: tf.Tensor2D, du: tf.Tensor2D): tf.Tensor2D {
  return tf.tidy(() => {
    const { unit, scale, length, divided } = normalize(z);
    const radial = tf.mul(tf.sum(tf.mul(unit, du), 1, true), divided);
    return tf.div(tf.div(tf.sub(du, tf.mul(unit, radial)), length), scale);
  });
}

/**
 * Divides rows by their Euclidean norms, with a closed-form gradient. Losses of cosine similarities start with it.
 *
 *     u_i = z_i / max(|z_i|, 1e-12)
 *
 * The norm is computed relative to the row's largest element, so squares neither overflow nor underflow. The result is right for all finite rows.
 *
 * @param z - shape [N, D], float32.
 * @returns shape [N, D], float32; the caller disposes it.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core';
 * import { startEngine } from '@tfjs-ssl/engine';
 * import { unitRows } from '@tfjs-ssl/ops';
 *
 * await startEngine('auto');
 * console.log(await unitRows(tf.tensor2d([[3e30, 4e30], [3e-9, 4e-9]])).data()); // 0.6, 0.8 twice
 * ```
 *
 * @see `torch.nn.functional.normalize`
 */
export function unitRows(z: tf.Tensor2D): tf.Tensor2D {
  const run = tf.customGrad((x, save) => {
    (save as tf.GradSaveFunc)([x as tf.Tensor]);
    return {
      value: normalize(x as tf.Tensor2D).unit,
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => unitRowsGradient(saved[0] as tf.Tensor2D, dy as tf.Tensor2D),
    };
  });
  return run(z) as tf.Tensor2D;
}
