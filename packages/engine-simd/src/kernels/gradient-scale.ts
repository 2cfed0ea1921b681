import type * as tf from '@tensorflow/tfjs-core';
import type { SimdBackend } from '../backend.ts';

/** Factor of the gradients of an update, or null where the update is to be left out. */
export function gradientFactor(backend: SimdBackend, gradientScale: tf.TensorInfo | undefined): number | null {
  if (!gradientScale) return 1;
  const [factor, applies] = backend.values(gradientScale) as Float32Array;
  return (applies as number) > 0 ? (factor as number) : null;
}
