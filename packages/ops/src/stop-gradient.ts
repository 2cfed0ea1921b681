import * as tf from '@tensorflow/tfjs-core';

/**
 * Computes a tensor that is a constant to gradients: the stop-gradient of methods with two branches.
 *
 * What `compute` does is not recorded for the gradient, so its intermediate tensors are freed at once, and a target branch costs the
 * memory of one layer at a time. Variables that it changes, such as running statistics, change as usual.
 *
 * @param compute - a synchronous function that returns one tensor, for example `() => target.apply(views, { training: true })`; it may
 * also be `() => x` for a tensor that is there.
 * @returns a new tensor with the value; the caller (or the surrounding `tf.tidy`) disposes it.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core';
 * import { startEngine } from '@tfjs-ssl/engine';
 * import { stopGradient } from '@tfjs-ssl/ops';
 *
 * await startEngine('auto');
 * const gradient = tf.grad((x) => tf.mul(x, stopGradient(() => tf.square(x))));
 * console.log(await gradient(tf.scalar(3)).data()); // 9 and not 27
 * ```
 *
 * @see Chen and He, "Exploring Simple Siamese Representation Learning" (2021), section 3; `torch.no_grad`, `torch.Tensor.detach`.
 */
export function stopGradient<Result extends tf.Tensor>(compute: () => Result): Result {
  // A customGrad is off the tape while it runs. The clone keeps a tensor that is on the tape from standing for this result too.
  const run = tf.customGrad(() => ({ value: tf.clone(compute()), gradFunc: () => [] }));
  return run() as Result;
}
