import * as tf from '@tensorflow/tfjs-core';

/** Disposes every variable that is registered. */
export function disposeVariables(): void {
  tf.disposeVariables();
}
