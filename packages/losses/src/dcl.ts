import * as tf from '@tensorflow/tfjs-core';
import { checkNumber } from '@tfjs-ssl/checks';
import { unitRows } from '@tfjs-ssl/ops';
import { checkBatch, checkTemperature } from './check-arguments.ts';
import { comparedRows, oneOf } from './compared-rows.ts';

/** Options of {@link dcl}. */
export interface DCLOptions {
  /** Divisor of the cosine similarities, a finite number > 0; no unit. The paper uses 0.1 for small images. */
  readonly temperature: number;
  /** Selects the weighted form: the divisor of the positives' similarities in their weights, > 0. The paper uses 0.5. Default: no weights. */
  readonly sigma?: number;
}

/**
 * DCL, the decoupled contrastive loss, and its weighted form DCLW. It is NT-Xent without the positive in the denominator.
 *
 *     loss = mean_i ( log sum_{j != i, p(i)} exp(u_i . u_j / temperature) - w_i u_i . u_p(i) / temperature ),
 *     u_i = z_i / max(|z_i|, 1e-12),    p(i) = (i + N) mod 2N,
 *
 * The mean is over all 2N anchors. Without `sigma`, w_i is 1. With `sigma`,
 *
 *     w_i = 2 - exp(u_i . u_p(i) / sigma) / mean_k exp(u_k . u_p(k) / sigma),
 *
 * which is smaller for pairs that agree already. No gradient flows through the weights. The loss can be negative.
 *
 * The result is right for all finite projections, as with {@link ntXent}. Similarities are computed in blocks of anchors, once for the loss and once for its
 * gradient, so memory grows with the batch and not with its square.
 *
 * @param projections - shape [2N, D], float32, N >= 2; rows i and i + N are the two views of image i. Normalised inside.
 * @param options - the temperature, and sigma for the weighted form.
 * @returns a scalar, float32, in nats; the caller disposes it.
 * @throws RangeError if the rank is not 2, the rows are odd or fewer than 4, or a number is out of range; TypeError if the projections are not float32.
 * @example
 * ```ts
 * import { dcl } from '@tfjs-ssl/losses';
 * import { startEngine } from '@tfjs-ssl/engine';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * await startEngine('auto');
 * const projections = tf.ones<tf.Rank.R2>([8, 16]); // a collapsed encoder
 * console.log(await dcl(projections, { temperature: 0.5 }).array(), Math.log(6)); // 1.7918 1.7918
 * const weighted = dcl(projections, { temperature: 0.1, sigma: 0.5 });
 * ```
 * @see Yeh et al. 2022, "Decoupled Contrastive Learning", eq. 5 and 6. It equals lightly's `DCLLoss` and `DCLWLoss`; their older
 * versions summed the negatives of each view separately. raminnakhli/Decoupled-Contrastive-Learning adds the two directions, which doubles the loss, and lets gradients
 * flow through the weights.
 */
export function dcl(projections: tf.Tensor2D, options: DCLOptions): tf.Scalar {
  const { temperature, sigma } = options;
  checkBatch('dcl', projections);
  checkTemperature('dcl', temperature);
  if (sigma !== undefined)
    checkNumber('dcl', 'sigma', sigma, { above: 0 }, 'The paper takes 0.5; leave it out for the plain form.');
  return tf.tidy(() => {
    const unit = unitRows(projections);
    const [rows] = unit.shape;
    const partner = (row: number) => (row + rows / 2) % rows;
    const weights = sigma === undefined ? [] : [pairWeights(unit, sigma)];
    const losses = comparedRows(unit, temperature, weights, (first, count, [weight]) => {
      const positives = oneOf(first, count, rows, partner);
      const compared = tf.sub<tf.Tensor2D>(
        tf.sub(
          1,
          oneOf(first, count, rows, (row) => row),
        ),
        positives,
      );
      if (!weight) return { compared, positives };
      return { compared, positives: tf.mul<tf.Tensor2D>(positives, tf.slice(weight, [first, 0], [count, 1])) };
    });
    return tf.mean<tf.Scalar>(losses);
  });
}

/** The weights of all anchors' positives, shape [2N, 1]; their mean is 1. */
function pairWeights(unit: tf.Tensor2D, sigma: number): tf.Tensor2D {
  const [first, second] = tf.split(unit, 2) as [tf.Tensor2D, tf.Tensor2D];
  const similarities = tf.sum(tf.mul(first, second), 1);
  const weights = tf.sub(2, tf.mul(tf.softmax(tf.div(similarities, sigma)), first.shape[0]));
  return tf.expandDims(tf.concat([weights, weights]), 1) as tf.Tensor2D;
}
