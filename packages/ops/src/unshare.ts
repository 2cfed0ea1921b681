import * as tf from '@tensorflow/tfjs-core';

/**
 * Gives a variable memory of its own if another tensor shares it (the tensor it was made from, or a clone). Otherwise a kernel that writes in place
 * would change that tensor too.
 */
export function unshare(variable: tf.Variable): void {
  if (tf.engine().backend.refCount(variable.dataId) > 1) tf.tidy(() => variable.assign(tf.mul(variable, 1)));
}
