import * as tf from '@tensorflow/tfjs-core';

/** The additive mask's value: far below any logit, yet finite, so that 0 * mask is 0 and shaders need no infinities. */
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
export function selfMask(rows: number): tf.Tensor2D {
  return tf.tidy(() => {
    const own = Int32Array.from({ length: rows }, (_, row) => row);
    return tf.oneHot(tf.tensor1d(own, 'int32'), rows, MASKED, 0, 'float32') as tf.Tensor2D;
  });
}
