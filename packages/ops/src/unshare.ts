import * as tf from '@tensorflow/tfjs-core';

/**
 * Gives a variable memory of its own where another tensor refers to the same (the tensor it was made from, a clone), which a kernel that
 * writes in place would change too.
 */
export function unshare(variable: tf.Variable): void {
  if (tf.engine().backend.refCount(variable.dataId) > 1) tf.tidy(() => variable.assign(tf.mul(variable, 1)));
}
