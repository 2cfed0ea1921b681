import * as tf from '@tensorflow/tfjs-core';

/**
 * Tells whether the current engine has a kernel.
 *
 * @param kernelName - the name under which engines register it, for example `'BatchNormTrain'`.
 * @returns true if `tf.engine().runKernel(kernelName, ...)` would find it.
 *
 * @example
 * ```ts
 * import { startEngine } from '@tfjs-ssl/engine';
 * import { hasKernel } from '@tfjs-ssl/ops';
 *
 * await startEngine('cpu');
 * console.log(hasKernel('Conv2D')); // true
 * ```
 */
export function hasKernel(kernelName: string): boolean {
  return tf.getKernel(kernelName, tf.getBackend()) !== undefined;
}
