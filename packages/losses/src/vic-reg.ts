import * as tf from '@tensorflow/tfjs-core';
import { checkNumber } from '@tfjs-ssl/checks';
import { checkBatch } from './check-arguments.ts';
import { offDiagonalSquares } from './off-diagonal-squares.ts';

/** Options of {@link vicReg}. */
export interface VICRegOptions {
  /** Weight of the invariance term, a finite number >= 0. Default 25. */
  readonly lambda?: number;
  /** Weight of the variance term, a finite number >= 0. Default 25. */
  readonly mu?: number;
  /** Weight of the covariance term, a finite number >= 0. Default 1. */
  readonly nu?: number;
  /** The smallest standard deviation that a feature should have, above 0. Default 1. */
  readonly gamma?: number;
  /** Added to the variance before its square root, above 0. Default 1e-4. */
  readonly epsilon?: number;
}

/**
 * VICReg makes views agree (invariance), features vary over the batch (variance), and features independent of each other (covariance).
 *
 *     loss = lambda s(x, y) + mu (v(x) + v(y)) / 2 + nu (c(x) + c(y)),
 *     s(x, y) = mean over all elements of (x - y)^2,
 *     v(x) = mean_j max(0, gamma - sqrt(variance_j + epsilon)),
 *     c(x) = sum_{i != j} Cov(x)_ij^2 / D,
 *
 * x and y are the two views; variance and covariance are unbiased (over N - 1). To get one term alone, set the weights of the other two to 0.
 *
 * The definition follows the authors' code, so their published weights apply. Eq. 6 of the paper does not divide s by D and does not halve v; for the paper's form, pass
 * `{ lambda: 25 * D, mu: 50 }`.
 *
 * Memory: min(N, D)^2 numbers and copies of the projections. With fewer images than features, no D x D matrix is formed. Keep values below 1e8 in magnitude, because the
 * covariance term is of fourth order.
 *
 * @param projections - shape [2N, D], float32, N >= 2; rows i and i + N are the two views of image i. Do not normalise them.
 * @param options - the weights, the smallest deviation, and the epsilon.
 * @returns a scalar, float32, at least 0; the caller disposes it.
 * @throws RangeError if the rank is not 2, the rows are odd or fewer than 4, or a number is out of range; TypeError if the projections are not float32.
 * @example
 * ```ts
 * import { vicReg } from '@tfjs-ssl/losses';
 * import { startEngine } from '@tfjs-ssl/engine';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * await startEngine('auto');
 * const collapsed = tf.ones<tf.Rank.R2>([64, 16]);
 * console.log(await vicReg(collapsed).array()); // 24.75: 25 (1 - sqrt(1e-4)), no feature varies
 * ```
 * @see Bardes et al. 2022, "VICReg: Variance-Invariance-Covariance Regularization for Self-Supervised Learning", eq. 1 to 6. It equals facebookresearch/vicreg and
 * lightly's `VICRegLoss`. solo-learn does not halve the variance term, so its weight 25 is `mu: 50` here.
 */
export function vicReg(projections: tf.Tensor2D, options: VICRegOptions = {}): tf.Scalar {
  const { lambda = 25, mu = 25, nu = 1, gamma = 1, epsilon = 1e-4 } = options;
  checkBatch('vicReg', projections);
  for (const [name, weight] of Object.entries({ lambda, mu, nu }))
    checkNumber('vicReg', name, weight, { min: 0 }, '0 leaves its term out.');
  checkNumber('vicReg', 'gamma', gamma, { above: 0 }, 'The paper takes 1.');
  checkNumber('vicReg', 'epsilon', epsilon, { above: 0 }, 'The paper takes 1e-4.');
  return tf.tidy(() => {
    const views = tf.split(projections, 2) as [tf.Tensor2D, tf.Tensor2D];
    const terms = [tf.mul(tf.mean(tf.squaredDifference(...views)), lambda)];
    for (const view of mu || nu ? views : []) {
      const { variances, covariances } = statistics(view, nu > 0);
      const missing = tf.relu(tf.sub(gamma, tf.sqrt(tf.add(variances, epsilon))));
      terms.push(tf.mul(tf.mean(missing), mu / 2));
      if (covariances) terms.push(tf.mul(covariances, nu / (view.shape[1] as number)));
    }
    return tf.addN(terms) as tf.Scalar;
  });
}

/** Variance of every column, and the sum of the squared covariances of different ones. */
function statistics(view: tf.Tensor2D, withCovariances: boolean): { variances: tf.Tensor; covariances?: tf.Scalar } {
  const scaled = tf.div(tf.sub(view, tf.mean(view, 0, true)), Math.sqrt(view.shape[0] - 1)) as tf.Tensor2D;
  const variances = tf.sum(tf.square(scaled), 0);
  return withCovariances ? { variances, covariances: offDiagonalSquares(scaled) } : { variances };
}
