import * as tf from '@tensorflow/tfjs-core';
import { argumentError } from '@tfjs-ssl/checks';
import { hasKernel } from './contract/has-kernel.ts';
import { runKernel } from './contract/run-kernel.ts';

/**
 * Computes 1 if no element of any tensor is infinite or NaN, and 0 otherwise. It reads nothing back.
 *
 * For engines: the kernel is `AllFinite` (see `OpKernels`).
 *
 * @param tensors - float32, of any shapes, at least one; not disposed.
 * @returns a new scalar, float32, which the caller (or the surrounding `tf.tidy`) disposes. No gradient.
 * @throws RangeError if the list is empty.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core';
 * import { startEngine } from '@tfjs-ssl/engine';
 * import { allFinite } from '@tfjs-ssl/ops';
 *
 * await startEngine('auto');
 * const gradients = [tf.tensor1d([1, 2]), tf.tensor1d([3, Number.POSITIVE_INFINITY])];
 * console.log(await allFinite(gradients).data()); // [ 0 ]
 * ```
 */
export function allFinite(tensors: readonly tf.Tensor[]): tf.Scalar {
  if (tensors.length === 0) {
    throw argumentError({
      fn: 'allFinite',
      argument: 'tensors',
      required: 'hold at least one tensor',
      got: tensors,
      shown: 'none',
      advice: 'Pass the gradients of the step.',
    });
  }
  if (hasKernel('AllFinite')) {
    const inputs = Object.fromEntries(tensors.map((tensor, i) => [`tensor${i}`, tensor]));
    return runKernel('AllFinite', inputs, { count: tensors.length });
  }
  return tf.tidy(() => {
    const each = tensors.map((tensor) => tf.min(tf.cast(tf.isFinite(tf.reshape(tensor, [-1])), 'float32')));
    return tf.min(tf.stack(each)) as tf.Scalar;
  });
}
