import * as tf from '@tensorflow/tfjs-core';
import { checkProjections, checkTemperature } from './check-arguments.ts';
import { type ContrastiveOptions, pairLogits } from './contrastive-logits.ts';
import { positivePairs } from './pairs.ts';

/** What {@link infoNCE} returns. */
export interface InfoNCEResult {
  /** The mean cross-entropy over all 2N anchors, in nats. */
  readonly loss: tf.Scalar;
  /** The logits that the loss was taken of, shape [2N, 2N]: see {@link contrastiveLogits}. */
  readonly logits: tf.Tensor2D;
}

/** Mean cross-entropy of the rows of `logits` against each row's positive. */
function pairCrossEntropy(logits: tf.Tensor2D): tf.Scalar {
  const loss = tf.customGrad((x, save) => {
    const rows = (x as tf.Tensor2D).shape[0];
    const targets = positivePairs(rows);
    // The maximum is removed before everything: exponentials cannot overflow, and where the positive leads by far (loss near 0)
    // log(1 + small) is not drowned by the rounding of large logits.
    const shifted = tf.sub(x as tf.Tensor, tf.max(x as tf.Tensor, 1, true));
    const exponentials = tf.exp(shifted);
    const sums = tf.sum(exponentials, 1, true);
    const positives = tf.sum(tf.mul(shifted, targets), 1, true);
    (save as tf.GradSaveFunc)([exponentials, sums, targets]);
    return {
      value: tf.mean(tf.sub(tf.log(sums), positives)),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) =>
        tf.tidy(() => {
          const [e, s, t] = saved as [tf.Tensor, tf.Tensor, tf.Tensor];
          return tf.mul(tf.sub(tf.div(e, s), t), tf.div(dy, rows));
        }),
    };
  });
  return loss(logits) as tf.Scalar;
}

/** {@link infoNCE} without checks. */
export function pairLoss(projections: tf.Tensor2D, temperature: number): InfoNCEResult {
  const logits = pairLogits(projections, temperature);
  return { loss: pairCrossEntropy(logits), logits };
}

/**
 * SimCLR's contrastive loss together with the logits it was taken of, so that pretext accuracies cost no second matrix product.
 *
 * loss = mean_i ( log sum_{j != i} exp(logits_ij) - logits_i,p(i) ), p(i) = (i + N) mod 2N: the cross-entropy of finding each view's partner among the 2N - 1 other views, averaged over all 2N
 * anchors. (google-research/simclr prints twice this: the sum of the two views' means.)
 * Computed in float32 with the maximum removed before exponentials; the gradient is finite for all finite projections.
 *
 * @param projections - shape [2N, D], float32; rows i and i + N are the two views of image i. Normalised inside.
 * @param options - the temperature.
 * @returns the loss (a scalar, in nats) and the logits; the caller disposes both.
 * @throws RangeError if the rank is not 2, the rows are odd or fewer than 2, or the temperature is not a finite number > 0;
 * TypeError if the projections are not float32.
 * @example
 * ```ts
 * import { contrastiveAccuracy, infoNCE } from '@tfjs-ssl/losses';
 * import { useEngine } from '@tfjs-ssl/engine';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * await useEngine('auto');
 * const projections = tf.randomNormal<tf.Rank.R2>([64, 128]); // two views of 32 images
 * const { loss, logits } = infoNCE(projections, { temperature: 0.07 });
 * console.log(await loss.array(), await contrastiveAccuracy(logits, 1).array());
 * ```
 * @see van den Oord et al. 2018, "Representation Learning with Contrastive Predictive Coding", eq. 4; Chen et al. 2020, eq. 1;
 * github.com/sthalles/SimCLR, whose `info_nce_loss` this equals.
 */
export function infoNCE(projections: tf.Tensor2D, options: ContrastiveOptions): InfoNCEResult {
  checkProjections('infoNCE', projections);
  checkTemperature('infoNCE', options.temperature);
  return pairLoss(projections, options.temperature);
}
