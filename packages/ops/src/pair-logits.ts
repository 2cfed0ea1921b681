import * as tf from '@tensorflow/tfjs-core';
import { hasKernel } from './contract/has-kernel.ts';
import { runKernel } from './contract/run-kernel.ts';
import { unitRows, unitRowsGradient } from './unit-rows.ts';

/**
 * The positive of every row as a one-hot matrix. Row i of 2N is paired with row (i + N) mod 2N.
 *
 * Only 2N indices are uploaded; the engine expands them.
 */
export function positivePairs(rows: number): tf.Tensor2D {
  return tf.tidy(() => {
    const partners = Int32Array.from({ length: rows }, (_, row) => (row + rows / 2) % rows);
    return tf.oneHot(tf.tensor1d(partners, 'int32'), rows, 1, 0, 'float32') as tf.Tensor2D;
  });
}

/**
 * The value on the diagonal. It is far below any logit, so a softmax ignores it, but finite, so 0 times it is 0 and shaders need
 * no infinities.
 */
const masked = (temperature: number): number => Math.min(-1e9, -4 / temperature);

/** A matrix to add to logits. It removes each row's similarity to itself from every softmax. */
function selfMask(rows: number, temperature: number): tf.Tensor2D {
  return tf.tidy(() => {
    const own = Int32Array.from({ length: rows }, (_, row) => row);
    return tf.oneHot(tf.tensor1d(own, 'int32'), rows, masked(temperature), 0, 'float32') as tf.Tensor2D;
  });
}

/**
 * Computes the scaled cosine similarities of all rows of a batch of pairs, with a closed-form gradient.
 *
 *     logits_ij = u_i . u_j / temperature  (i != j),    u_i = z_i / max(|z_i|, 1e-12)
 *
 * The values on the diagonal are far below all others: about -1e9, or lower if the temperature is below 4e-9. If you need only the loss or the ranks, use
 * `ntXentWithRanks`, which never holds the matrix.
 *
 * For engines: one that has the kernel `NTXent` may also have `PairLogits` (see `OpKernels`), so that {@link pairRanks} of these logits gives the ranks of the loss.
 *
 * @param projections - z, shape [2N, D], float32; rows i and i + N are a pair.
 * @param temperature - divisor of the similarities, finite and above 0.
 * @returns shape [2N, 2N], float32; the caller disposes it.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core';
 * import { startEngine } from '@tfjs-ssl/engine';
 * import { pairLogits } from '@tfjs-ssl/ops';
 *
 * await startEngine('auto');
 * console.log(await pairLogits(tf.tensor2d([[1, 0], [3, 0]]), 0.5).data()); // [-1e9, 2, 2, -1e9]
 * ```
 *
 * @see Chen et al. 2020, "A Simple Framework for Contrastive Learning of Visual Representations", eq. 1.
 */
export function pairLogits(projections: tf.Tensor2D, temperature: number): tf.Tensor2D {
  const logits = tf.customGrad((z, save) => {
    (save as tf.GradSaveFunc)([z as tf.Tensor]);
    return {
      value: computeLogits(z as tf.Tensor2D, temperature),
      // With S = U U^T, dU = (G + G^T) U.
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) =>
        tf.tidy(() => {
          const [own] = saved as [tf.Tensor2D];
          const both = tf.add(dy, tf.transpose(dy)) as tf.Tensor2D;
          return unitRowsGradient(own, tf.mul(tf.matMul(both, unitRows(own)), 1 / temperature) as tf.Tensor2D);
        }),
    };
  });
  return logits(projections) as tf.Tensor2D;
}

function computeLogits(projections: tf.Tensor2D, temperature: number): tf.Tensor2D {
  if (hasKernel('PairLogits')) {
    return runKernel('PairLogits', { projections }, { temperature, masked: masked(temperature) });
  }
  const unit = unitRows(projections);
  const similarities = tf.mul(tf.matMul(unit, unit, false, true), 1 / temperature);
  return tf.add(similarities, selfMask(projections.shape[0], temperature));
}

/**
 * Counts, for every row of {@link pairLogits}, the negatives with a greater logit than the positive.
 *
 * Ties count in favour of the positive. A row that contains NaN gets 2N, which is more than the number of negatives.
 *
 * @param logits - shape [2N, 2N], float32, the diagonal masked.
 * @returns shape [2N], float32, no gradient; the caller disposes it.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core';
 * import { startEngine } from '@tfjs-ssl/engine';
 * import { pairLogits, pairRanks } from '@tfjs-ssl/ops';
 *
 * await startEngine('auto');
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
