import * as tf from '@tensorflow/tfjs-core';
import { expect } from 'vitest';

/** Runs a function and asserts that it leaves as many tensors behind as it found. */
export async function expectNoLeak(run: () => void | Promise<void>): Promise<void> {
  const before = tf.memory().numTensors;
  await run();
  expect(tf.memory().numTensors, 'tensors left behind').toBe(before);
}
