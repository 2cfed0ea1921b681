import type * as tf from '@tensorflow/tfjs-core';
import * as ops from '@tfjs-ssl/ops';
import { checkProjections, checkTemperature } from './check-arguments.ts';
import type { ContrastiveOptions } from './contrastive-logits.ts';

/** What {@link ntXentWithRanks} returns. */
export interface NtXentResult {
  /** The mean cross-entropy over all 2N anchors, in nats. */
  readonly loss: tf.Scalar;
  /** For each anchor, how many negatives are more similar than its positive, shape [2N]: see {@link contrastiveAccuracy}. */
  readonly ranks: tf.Tensor1D;
}

/**
 * NT-Xent, SimCLR's contrastive loss, and the ranks of the positives. Pass the ranks to {@link contrastiveAccuracy} for pretext accuracies.
 *
 *     loss = mean_i ( log sum_{j != i} exp(logits_ij) - logits_i,p(i) ),    p(i) = (i + N) mod 2N
 *
 * It is the cross-entropy of finding each view's partner among the 2N - 1 other views, averaged over all 2N anchors. google-research/simclr
 * prints twice this value: the sum of the two views' means.
 *
 * The loss computes in float32 and subtracts the maximum before exponentials. Loss and gradient are right for all finite projections,
 * up to the rounding of the cosines, which the temperature divides: at a temperature of 1e-4 the logits are off by about 1e-3.
 *
 * If the engine has a kernel for this loss, it never holds the matrix of logits. Memory then grows with the batch and not with its square.
 *
 * @param projections - shape [2N, D], float32; rows i and i + N are the two views of image i. Normalised inside.
 * @param options - the temperature.
 * @returns the loss (a scalar, in nats; gradients flow through it) and the ranks; the caller disposes both.
 * @throws RangeError if the rank is not 2, the rows are odd or fewer than 2, or the temperature is not a finite number > 0;
 * TypeError if the projections are not float32.
 * @example
 * ```ts
 * import { contrastiveAccuracy, ntXentWithRanks } from '@tfjs-ssl/losses';
 * import { startEngine } from '@tfjs-ssl/engine';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * await startEngine('auto');
 * const projections = tf.randomNormal<tf.Rank.R2>([64, 128]); // two views of 32 images
 * const { loss, ranks } = ntXentWithRanks(projections, { temperature: 0.07 });
 * console.log(await loss.array(), await contrastiveAccuracy(ranks, 1).array());
 * ```
 * @see van den Oord et al. 2018, "Representation Learning with Contrastive Predictive Coding", eq. 4; Chen et al. 2020, eq. 1;
 * github.com/sthalles/SimCLR, whose `info_nce_loss` this equals.
 */
export function ntXentWithRanks(projections: tf.Tensor2D, options: ContrastiveOptions): NtXentResult {
  checkProjections('ntXentWithRanks', projections);
  checkTemperature('ntXentWithRanks', options.temperature);
  return ops.ntXentWithRanks(projections, options);
}
