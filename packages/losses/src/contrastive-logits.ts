import type * as tf from '@tensorflow/tfjs-core';
import { pairLogits } from '@tfjs-ssl/ops';
import { checkProjections, checkTemperature } from './check-arguments.ts';

/** Options of the contrastive losses and their logits. */
export interface ContrastiveOptions {
  /** Divisor of the cosine similarities, a finite number > 0; no unit. SimCLR uses 0.1 to 0.5, the public PyTorch code 0.07. */
  readonly temperature: number;
}

/**
 * Scaled cosine similarities of every view to every other view. SimCLR's loss and its pretext accuracy are computed from these logits.
 *
 *     logits_ij = u_i . u_j / temperature for i != j,    u_i = z_i / max(|z_i|, 1e-12)
 *
 * On the diagonal, logits are about -1e9 (0 after a softmax), or lower if the temperature is below 4e-9. The positive of row i is column (i + N) mod 2N; the other 2N - 2
 * columns are its negatives.
 *
 * Gradients are finite everywhere. As in PyTorch, a row with a norm below 1e-12 is divided by 1e-12, so the gradient of an all-zero row is 1e12 times
 * that of its direction.
 *
 * @param projections - shape [2N, D], float32; rows i and i + N are the two views of image i. They need not be normalised.
 * @param options - the temperature.
 * @returns shape [2N, 2N], float32, symmetric; the caller disposes it.
 * @throws RangeError if the rank is not 2, the rows are odd or fewer than 2, or the temperature is not a finite number > 0;
 * TypeError if the projections are not float32.
 * @example
 * ```ts
 * import { contrastiveLogits } from '@tfjs-ssl/losses';
 * import { startEngine } from '@tfjs-ssl/engine';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * await startEngine('auto');
 * const projections = tf.tensor2d([[1, 0], [0, 2], [3, 0], [0, 4]]); // two images, two views
 * const logits = contrastiveLogits(projections, { temperature: 0.5 });
 * console.log((await logits.array())[0]?.slice(1)); // [ 0, 2, 0 ]: row 2 is the other view
 * ```
 * @see Chen et al. 2020, "A Simple Framework for Contrastive Learning of Visual Representations", eq. 1.
 */
export function contrastiveLogits(projections: tf.Tensor2D, options: ContrastiveOptions): tf.Tensor2D {
  checkProjections('contrastiveLogits', projections);
  checkTemperature('contrastiveLogits', options.temperature);
  return pairLogits(projections, options.temperature);
}
