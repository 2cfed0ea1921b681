import * as tf from '@tensorflow/tfjs-core';
import { expect } from 'vitest';
import { numberOf } from './values.ts';

/**
 * Checks the gradient of a scalar function at a point by central differences along random directions.
 *
 * @param f - a scalar function of tensors.
 * @param inputs - the point, float32.
 * @param options - `step` of the differences, `rtol` of the agreement relative to the gradient's norm along the direction.
 */
export async function expectGradient(
  f: (...inputs: tf.Tensor[]) => tf.Scalar,
  inputs: readonly tf.Tensor[],
  options: { step?: number; rtol?: number; directions?: number } = {},
): Promise<void> {
  const { step = 1e-2, rtol = 2e-2, directions = 3 } = options;
  const gradients = tf.tidy(() => tf.grads((...xs: tf.Tensor[]) => f(...xs))([...inputs]));
  for (let seed = 1; seed <= directions; seed++) {
    for (const [i, input] of inputs.entries()) {
      const ofInput = gradients[i] as tf.Tensor;
      const direction = tf.randomNormal(input.shape, 0, 1, 'float32', seed);
      const shifted = (sign: number) =>
        numberOf(() => f(...inputs.map((x, j) => (j === i ? tf.add(x, tf.mul(direction, sign * step)) : x))));
      const difference = ((await shifted(1)) - (await shifted(-1))) / (2 * step);
      const gradient = await numberOf(() => tf.sum(tf.mul(ofInput, direction)));
      const scale = Math.max(await numberOf(() => tf.norm(ofInput)), 1e-3);
      expect(Math.abs(gradient - difference) / scale, `input ${i}: ${gradient} against ${difference}`).toBeLessThan(
        rtol,
      );
      direction.dispose();
    }
  }
  tf.dispose(gradients);
}
