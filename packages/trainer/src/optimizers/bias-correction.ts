import * as tf from '@tensorflow/tfjs-core';

/** Skipped steps that are told apart. A run reaches more after two million steps, when no correction is left to see. */
const MOST = 1023;

/**
 * Corrects scalars that hold bias corrections 1 - beta^t for steps that were counted in t and did not take place, without reading
 * their number back:
 *
 *     1 - beta^(t - s) = c - (1 - c) (beta^-s - 1)      with c = 1 - beta^t
 *
 * The last factor comes from a table: worked out on the device, it would lose the digits that count in the first steps. Where s is 0 the
 * scalars stay the same bits.
 *
 * @param scalars - any scalars, shape [n], float32; not disposed.
 * @param betas - beta of each scalar that is a bias correction, null for each other one.
 * @param skippedSteps - s, a float32 scalar, an integer.
 * @returns a new tensor of shape [n], which the caller (or the surrounding `tf.tidy`) disposes.
 */
export function withoutSkipped(
  scalars: tf.Tensor1D,
  betas: ReadonlyArray<number | null>,
  skippedSteps: tf.Scalar,
): tf.Tensor1D {
  return tf.tidy(() => {
    const growth = tf.gather(growthTable(betas), tf.cast(tf.minimum(skippedSteps, MOST), 'int32'));
    return tf.sub(scalars, tf.mul(tf.sub(1, scalars), growth)) as tf.Tensor1D;
  });
}

/** beta^-s - 1 for s from 0 to MOST in rows, shape [MOST + 1, n]; 0 if there is no beta. */
function growthTable(betas: ReadonlyArray<number | null>): tf.Tensor2D {
  const values = new Float32Array((MOST + 1) * betas.length);
  for (let s = 0; s <= MOST; s++) {
    betas.forEach((beta, i) => {
      // beta^t is 0 in float32 long before beta^-s is as large as this
      const growth = beta === null ? 0 : Math.min(Math.expm1(-s * Math.log(beta)), 1e30);
      values[s * betas.length + i] = Number.isNaN(growth) ? 0 : growth; // beta 0: its correction is 1 from the first step on
    });
  }
  return tf.tensor2d(values, [MOST + 1, betas.length]);
}
