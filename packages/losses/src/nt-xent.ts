import * as tf from '@tensorflow/tfjs-core';
import { ntXentWithRanks } from '@tfjs-ssl/ops';
import { checkProjections, checkTemperature } from './check-arguments.ts';
import type { ContrastiveOptions } from './contrastive-logits.ts';

/**
 * NT-Xent, the normalised temperature-scaled cross-entropy of SimCLR. `ntXentWithRanks` also gives the ranks of the positives.
 *
 *     loss = mean_i -log( exp(u_i . u_p(i) / temperature) / sum_{j != i} exp(u_i . u_j / temperature) ),
 *     u_i = z_i / max(|z_i|, 1e-12),    p(i) = (i + N) mod 2N
 *
 * The mean is over all 2N anchors. If the encoder has collapsed and all rows are equal, the loss is log(2N - 1).
 *
 * @param projections - shape [2N, D], float32; rows i and i + N are the two views of image i. Normalised inside.
 * @param options - the temperature.
 * @returns a scalar, float32, in nats; the caller disposes it.
 * @throws RangeError if the rank is not 2, the rows are odd or fewer than 2, or the temperature is not a finite number > 0;
 * TypeError if the projections are not float32.
 * @example
 * ```ts
 * import { ntXent } from '@tfjs-ssl/losses';
 * import { startEngine } from '@tfjs-ssl/engine';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * await startEngine('auto');
 * const projections = tf.ones<tf.Rank.R2>([8, 16]); // a collapsed encoder
 * console.log(await ntXent(projections, { temperature: 0.5 }).array(), Math.log(7)); // 1.9459 1.9459
 * ```
 * @see Chen et al. 2020, "A Simple Framework for Contrastive Learning of Visual Representations", eq. 1 and algorithm 1.
 */
export function ntXent(projections: tf.Tensor2D, options: ContrastiveOptions): tf.Scalar {
  checkProjections('ntXent', projections);
  checkTemperature('ntXent', options.temperature);
  return tf.tidy(() => ntXentWithRanks(projections, options).loss);
}
