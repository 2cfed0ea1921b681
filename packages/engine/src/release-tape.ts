import * as tf from '@tensorflow/tfjs-core';

/**
 * Frees what TensorFlow.js has saved for a gradient that nobody will compute. If a function throws while TensorFlow.js takes its gradient, the tape
 * stays, and its saved tensors would wait for the garbage collector. The function does nothing while another gradient is taken.
 */
export function releaseTape(): void {
  const { state } = tf.engine();
  if (state.gradientDepth > 0 || !state.activeTape) return;
  for (const { saved } of state.activeTape) tf.dispose(saved);
  state.activeTape = [];
}
