import * as tf from '@tensorflow/tfjs-core';
import { expect } from 'vitest';

/**
 * Computes a tensor, reads it and disposes it with all that was made on the way.
 *
 * Not every engine can read at once, so nothing is read within a `tf.tidy`: this is how a test gets numbers of a computation.
 */
export async function valuesOf(compute: () => tf.Tensor): Promise<Float32Array> {
  const tensor = tf.tidy(compute);
  const values = (await tensor.data<'float32'>()).slice();
  tensor.dispose();
  return values;
}

/** The same for a scalar. */
export async function numberOf(compute: () => tf.Tensor): Promise<number> {
  const values = await valuesOf(compute);
  expect(values.length, 'number of values').toBe(1);
  return values[0] as number;
}
