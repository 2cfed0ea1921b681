import * as tf from '@tensorflow/tfjs-core';
import { checkTemperature } from './check-arguments.ts';
import { checkCrossedViews, crossedViews } from './crossed-views.ts';

/** Options of {@link swav}. */
export interface SwAVOptions {
  /** Divisor of the scores in the predictions, a finite number > 0. Default 0.1. */
  readonly temperature?: number;
  /** Number of views in the scores, V, an integer >= 2. With multi-crop, the small crops come last. Default 2. */
  readonly views?: number;
}

/**
 * SwAV: the scores of each view predict the cluster assignments of the other views of the same image.
 *
 *     loss = -1 / (A (V - 1) N) sum_{a < A} sum_{v != a} sum_n q_an . log softmax(scores_vn / temperature)
 *
 * There are V views of N images. The first A views have assignments q: both of two views, or the large crops of multi-crop. {@link sinkhorn} computes the
 * assignments of one view. No gradient flows to them.
 *
 * Scores must be cosines: divide features and prototypes by their norms (`unitRows` of `@tfjs-ssl/ops`) before you multiply them.
 *
 * Memory: copies of the scores of one view.
 *
 * @param scores - shape [V N, K], float32, view after view: cosines of features with K prototypes.
 * @param assignments - q, shape [A N, K], float32, 1 <= A <= V, view after view; rows sum to 1.
 * @param options - the temperature and the number of views.
 * @returns a scalar, float32, in nats; the caller disposes it.
 * @throws RangeError if shapes do not fit together or a number is out of range; TypeError if a tensor is not float32.
 * @example
 * ```ts
 * import { sinkhorn, swav } from '@tfjs-ssl/losses';
 * import { unitRows } from '@tfjs-ssl/ops';
 * import { startEngine } from '@tfjs-ssl/engine';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * await startEngine('auto');
 * const projections = tf.randomNormal<tf.Rank.R2>([2 * 32, 16]);
 * const prototypes = tf.variable(tf.randomNormal<tf.Rank.R2>([10, 16]));
 * const loss = tf.tidy(() => {
 *   const scores = tf.matMul<tf.Tensor2D>(unitRows(projections), unitRows(prototypes), false, true);
 *   const assignments = tf.split<tf.Tensor2D>(scores, 2).map((view) => sinkhorn(view));
 *   return swav(scores, tf.concat(assignments));
 * });
 * console.log(await loss.array());
 * ```
 * @see Caron et al. 2020, "Unsupervised Learning of Visual Features by Contrasting Cluster Assignments", eq. 1, 2 and 6. It equals lightly's `SwaVLoss`, solo-learn's
 * `swav_loss_func` and facebookresearch/swav, which compute or take the assignments of every view.
 */
export function swav(scores: tf.Tensor2D, assignments: tf.Tensor2D, options: SwAVOptions = {}): tf.Scalar {
  const { temperature = 0.1, views = 2 } = options;
  checkTemperature('swav', temperature);
  checkCrossedViews('swav', ['scores', 'assignments'], scores, assignments, views);
  return tf.tidy(() => crossedViews(scores, assignments, views, temperature));
}
