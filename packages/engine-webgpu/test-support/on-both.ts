import * as tf from '@tensorflow/tfjs-core';
import { startEngine } from '@tfjs-ssl/engine';
import { type Tolerance, worstDeviation } from '@tfjs-ssl/testing';
import { expect } from 'vitest';

type Results = Record<string, tf.Tensor>;

async function valuesOn(engine: string, compute: () => Results): Promise<Record<string, ArrayLike<number>>> {
  await startEngine(engine, { softwareAdapter: true });
  const before = tf.memory().numTensors;
  const results = tf.tidy(compute);
  const values: Record<string, ArrayLike<number>> = {};
  for (const [name, tensor] of Object.entries(results)) {
    values[name] = await tensor.data();
    tensor.dispose();
  }
  expect(tf.memory().numTensors, `tensors left behind on ${engine}`).toBe(before);
  return values;
}

/**
 * Asserts that a computation gives on the GPU engine what it gives on the reference engine, where its ops are compositions, and that it
 * leaves no tensors behind. The GPU engine is in use afterwards.
 *
 * @param compute - makes its inputs (of fixed seeds) and returns results by name.
 * @param tolerance - of the values; `scaled` is relative to the largest expected value of each result.
 */
export async function expectSameOnCpu(
  compute: () => Results,
  tolerance: Tolerance & { scaled?: number },
): Promise<void> {
  const expected = await valuesOn('cpu', compute);
  const got = await valuesOn('webgpu', compute);
  expect(Object.keys(got)).toEqual(Object.keys(expected));
  for (const [name, values] of Object.entries(expected)) {
    const largest = Array.from(values).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const { atol = 0, rtol = 0, scaled = 0 } = tolerance;
    const worst = worstDeviation(got[name] as ArrayLike<number>, values, { atol: atol + scaled * largest, rtol });
    expect(got[name]?.length, `number of values of ${name}`).toBe(values.length);
    expect(
      worst.excess,
      `${name}: value ${worst.index} is ${worst.got}, expected ${worst.expected}, largest ${largest}`,
    ).toBeLessThanOrEqual(0);
  }
}
