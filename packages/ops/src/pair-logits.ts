import * as tf from '@tensorflow/tfjs-core';

/** Norms below this are taken for it, as `torch.nn.functional.normalize` does. */
const SMALLEST_NORM = 1e-12;

/** What stands on the diagonal: far below any logit, yet finite, so that 0 times it is 0 and shaders need no infinities. */
const MASKED = -1e9;

/**
 * The positive of every row as a one-hot matrix: row i of 2N is paired with row (i + N) mod 2N.
 *
 * Only 2N indices are uploaded; the engine expands them.
 */
export function positivePairs(rows: number): tf.Tensor2D {
  return tf.tidy(() => {
    const partners = Int32Array.from({ length: rows }, (_, row) => (row + rows / 2) % rows);
    return tf.oneHot(tf.tensor1d(partners, 'int32'), rows, 1, 0, 'float32') as tf.Tensor2D;
  });
}

/** A matrix to add to logits that takes each row's similarity to itself out of every softmax. */
function selfMask(rows: number): tf.Tensor2D {
  return tf.tidy(() => {
    const own = Int32Array.from({ length: rows }, (_, row) => row);
    return tf.oneHot(tf.tensor1d(own, 'int32'), rows, MASKED, 0, 'float32') as tf.Tensor2D;
  });
}

/**
 * Scaled cosine similarities of all rows of a batch of pairs, with a closed-form gradient.
 *
 *     logits_ij = u_i . u_j / temperature  (i != j),  -1e9  (i = j),    u_i = z_i / max(|z_i|, 1e-12)
 *
 * A composition on every engine: what needs only the loss or the ranks takes `infoNce`, which never holds the matrix.
 *
 * @param projections - z, shape [2N, D], float32; rows i and i + N are a pair.
 * @param temperature - divisor of the similarities, finite and above 0.
 * @returns shape [2N, 2N], float32; the caller disposes it.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core';
 * import { useEngine } from '@tfjs-ssl/engine';
 * import { pairLogits } from '@tfjs-ssl/ops';
 *
 * await useEngine('auto');
 * console.log(await pairLogits(tf.tensor2d([[1, 0], [3, 0]]), 0.5).data()); // [-1e9, 2, 2, -1e9]
 * ```
 *
 * @see Chen et al. 2020, "A Simple Framework for Contrastive Learning of Visual Representations", eq. 1.
 */
export function pairLogits(projections: tf.Tensor2D, temperature: number): tf.Tensor2D {
  const logits = tf.customGrad((z, save) => {
    const projected = z as tf.Tensor2D;
    const norm = tf.sqrt(tf.sum(tf.square(projected), 1, true));
    const divisor = tf.maximum(norm, SMALLEST_NORM);
    const unit = tf.div(projected, divisor) as tf.Tensor2D;
    const similarities = tf.mul(tf.matMul(unit, unit, false, true), 1 / temperature);
    (save as tf.GradSaveFunc)([unit, norm, divisor]);
    return {
      value: tf.add(similarities, selfMask(projected.shape[0])),
      // With S = U U^T, dU = (G + G^T) U; the normalisation removes the radial part of dU and divides by the norm. Where the
      // norm is below the smallest, the divisor is constant and nothing is removed.
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) =>
        tf.tidy(() => {
          const [u, length, d] = saved as [tf.Tensor2D, tf.Tensor2D, tf.Tensor2D];
          const both = tf.add(dy, tf.transpose(dy)) as tf.Tensor2D;
          const du = tf.mul(tf.matMul(both, u), 1 / temperature);
          const radial = tf.mul(tf.sum(tf.mul(u, du), 1, true), tf.cast(tf.greater(length, SMALLEST_NORM), 'float32'));
          return tf.div(tf.sub(du, tf.mul(u, radial)), d);
        }),
    };
  });
  return logits(projections) as tf.Tensor2D;
}

/**
 * For every row of {@link pairLogits}, how many negatives have a greater logit than the positive.
 *
 * Ties count for the positive. A row that has a NaN gets 2N, more than there are negatives.
 *
 * @param logits - shape [2N, 2N], float32, the diagonal masked.
 * @returns shape [2N], float32, no gradient; the caller disposes it.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core';
 * import { useEngine } from '@tfjs-ssl/engine';
 * import { pairLogits, pairRanks } from '@tfjs-ssl/ops';
 *
 * await useEngine('auto');
 * const logits = pairLogits(tf.tensor2d([[1, 0], [0, 1], [1, 0.1], [0.1, 1]]), 0.5);
 * console.log(await pairRanks(logits).data()); // [0, 0, 0, 0]
 * ```
 */
export function pairRanks(logits: tf.Tensor2D): tf.Tensor1D {
  return tf.tidy(() => {
    const [rows] = logits.shape;
    // One NaN of a row makes the sum NaN, and every comparison with it false: nothing is beaten.
    const positives = tf.sum(tf.mul(logits, positivePairs(rows)), 1, true);
    return tf.sub(rows, tf.sum(tf.cast(tf.lessEqual(logits, positives), 'float32'), 1)) as tf.Tensor1D;
  });
}
