import * as tf from '@tensorflow/tfjs-core';
import { checkNumber } from '@tfjs-ssl/checks';
import { checkBatch } from './check-arguments.ts';
import { offDiagonalSquares } from './off-diagonal-squares.ts';
import { standardColumns } from './standard-columns.ts';

/** Options of {@link barlowTwins}. */
export interface BarlowTwinsOptions {
  /** Weight of the redundancy term, a finite number >= 0. Default 0.005. */
  readonly lambda?: number;
  /** Added to the variance of each feature before the square root, above 0. Default 1e-5, as in batch norm. */
  readonly epsilon?: number;
}

/**
 * Barlow Twins: makes each feature agree between the two views, and correlate with no other feature.
 *
 *     loss = sum_i (1 - C_ii)^2 + lambda sum_{i != j} C_ij^2,    C = A^T B / N,
 *
 * where A and B are the two views with standardised columns: (z - mean) / sqrt(variance + epsilon), with the biased variance (over N).
 *
 * Statistics come from this batch only. A feature that is constant over the batch counts as uncorrelated with all others. The result is right for
 * values up to 1e30 in magnitude.
 *
 * Memory: min(N, D)^2 numbers and copies of the projections. With fewer images than features, the D x D matrix C is never formed.
 *
 * @param projections - shape [2N, D], float32, N >= 2; rows i and i + N are the two views of image i. Do not normalise them.
 * @param options - the weight and the epsilon.
 * @returns a scalar, float32, at least 0; the caller disposes it.
 * @throws RangeError if the rank is not 2, the rows are odd or fewer than 4, or a number is out of range; TypeError if the projections are not float32.
 * @example
 * ```ts
 * import { barlowTwins } from '@tfjs-ssl/losses';
 * import { startEngine } from '@tfjs-ssl/engine';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * await startEngine('auto');
 * const collapsed = tf.ones<tf.Rank.R2>([64, 16]);
 * console.log(await barlowTwins(collapsed).array()); // 16: no feature carries information
 * ```
 * @see Zbontar et al. 2021, "Barlow Twins: Self-Supervised Learning via Redundancy Reduction", eq. 1 and 2. It equals facebookresearch/barlowtwins and lightly's
 * `BarlowTwinsLoss`, whose older versions divide by the unbiased deviation. solo-learn multiplies by 0.025.
 */
export function barlowTwins(projections: tf.Tensor2D, options: BarlowTwinsOptions = {}): tf.Scalar {
  const { lambda = 0.005, epsilon = 1e-5 } = options;
  checkBatch('barlowTwins', projections);
  checkNumber('barlowTwins', 'lambda', lambda, { min: 0 }, '0 leaves its term out.');
  checkNumber('barlowTwins', 'epsilon', epsilon, { above: 0 }, 'Batch norm takes 1e-5.');
  return tf.tidy(() => {
    const images = projections.shape[0] / 2;
    const [a, b] = tf.split<tf.Tensor2D>(projections, 2).map((view) => standardColumns(view, epsilon)) as [
      tf.Tensor2D,
      tf.Tensor2D,
    ];
    const agreement = tf.mean(tf.mul(a, b), 0);
    const invariance = tf.sum(tf.squaredDifference(agreement, 1));
    if (lambda === 0) return invariance as tf.Scalar;
    const redundancy = offDiagonalSquares(tf.div<tf.Tensor2D>(a, images), b);
    return tf.add(invariance, tf.mul(redundancy, lambda)) as tf.Scalar;
  });
}
