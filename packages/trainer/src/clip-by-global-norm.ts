import * as tf from '@tensorflow/tfjs-core';
import { argumentError, checkNumber } from '@tfjs-ssl/checks';
import type { NamedTensors } from './types.ts';

/** The Euclidean norm of all elements of all tensors together. */
function jointNorm(tensors: NamedTensors): tf.Scalar {
  return tf.tidy(() =>
    tf.sqrt(tf.addN(Object.values(tensors).map((tensor) => tf.sum(tf.square(tensor))))),
  ) as tf.Scalar;
}

/**
 * Scales all gradients by one factor so that their joint norm is at most `maxNorm`, as `torch.nn.utils.clip_grad_norm_`.
 *
 *     norm = sqrt(sum over all elements of all gradients of g^2),    g <- g min(1, maxNorm / (norm + 1e-6))
 *
 * Reads nothing back. If the norm is infinite or NaN, all results are NaN. The same holds if its square overflows float32, from 1.8e19 on:
 * such a training is lost, and zeros would hide it.
 *
 * @param gradients - the gradients by name, float32; at least one; not disposed.
 * @param maxNorm - the largest norm, a finite number > 0.
 * @returns the scaled gradients, new tensors under the same names; the caller disposes them.
 * @throws RangeError if there are no gradients or `maxNorm` is not a finite number > 0.
 * @example
 * ```ts
 * import { clipByGlobalNorm } from '@tfjs-ssl/trainer';
 * import { startEngine } from '@tfjs-ssl/engine';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * await startEngine('auto');
 * const clipped = clipByGlobalNorm({ a: tf.tensor1d([3, 0]), b: tf.scalar(4) }, 1); // norm 5
 * console.log(await clipped.b?.array()); // [ 0.8 ]
 * ```
 * @see Pascanu et al. 2013, "On the difficulty of training recurrent neural networks", algorithm 1.
 */
export function clipByGlobalNorm(gradients: NamedTensors, maxNorm: number): NamedTensors {
  const entries = Object.entries(gradients);
  if (entries.length === 0) {
    throw argumentError({
      fn: 'clipByGlobalNorm',
      argument: 'gradients',
      required: 'hold at least one tensor',
      got: gradients,
      shown: 'none',
      advice: 'Pass the gradients of the step.',
    });
  }
  const advice = 'To train without clipping, do not call this function.';
  checkNumber('clipByGlobalNorm', 'maxNorm', maxNorm, { above: 0 }, advice);
  return tf.tidy(() => {
    const norm = jointNorm(gradients);
    // 0, or NaN where the norm is not finite; a minimum alone may lose it
    const spoiled = tf.sub(norm, norm);
    const factor = tf.add(tf.minimum(tf.div(maxNorm, tf.add(norm, 1e-6)), 1), spoiled);
    return Object.fromEntries(entries.map(([name, gradient]) => [name, tf.mul(gradient, factor)]));
  });
}
