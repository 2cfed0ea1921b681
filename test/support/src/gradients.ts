import * as tf from '@tensorflow/tfjs-core';
import { expect } from 'vitest';

/**
 * Checks the gradient of a scalar function at a point by central differences along random directions.
 *
 * @param f - a scalar function of tensors.
 * @param inputs - the point, float32.
 * @param options - `step` of the differences, `rtol` of the agreement relative to the gradient's norm along the direction.
 */
export function expectGradient(
  f: (...inputs: tf.Tensor[]) => tf.Scalar,
  inputs: readonly tf.Tensor[],
  options: { step?: number; rtol?: number; directions?: number } = {},
): void {
  const { step = 1e-2, rtol = 2e-2, directions = 3 } = options;
  tf.tidy(() => {
    const gradients = tf.grads((...xs: tf.Tensor[]) => f(...xs))([...inputs]);
    for (let seed = 1; seed <= directions; seed++) {
      inputs.forEach((input, i) => {
        const direction = tf.randomNormal(input.shape, 0, 1, 'float32', seed);
        const shifted = (sign: number) =>
          f(...inputs.map((x, j) => (j === i ? tf.add(x, tf.mul(direction, sign * step)) : x))).dataSync()[0] as number;
        const difference = (shifted(1) - shifted(-1)) / (2 * step);
        const gradient = tf.sum(tf.mul(gradients[i] as tf.Tensor, direction)).dataSync()[0] as number;
        const scale = Math.max(tf.norm(gradients[i] as tf.Tensor).dataSync()[0] as number, 1e-3);
        expect(Math.abs(gradient - difference) / scale, `input ${i}: ${gradient} against ${difference}`).toBeLessThan(
          rtol,
        );
      });
    }
  });
}
