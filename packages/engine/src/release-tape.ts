import * as tf from '@tensorflow/tfjs-core';

/**
 * Frees what TensorFlow.js has saved for a gradient that is no longer wanted: where a function of which it takes the gradient throws, its tape
 * stays, and the tensors that it saved would wait for the garbage collector. Does nothing inside a gradient that goes on.
 */
export function releaseTape(): void {
  const { state } = tf.engine();
  if (state.gradientDepth > 0 || !state.activeTape) return;
  for (const { saved } of state.activeTape) tf.dispose(saved);
  state.activeTape = [];
}
