import type * as tf from '@tensorflow/tfjs-core';
import { expect } from 'vitest';

/** How far a value may be from what is expected: |got - expected| <= atol + rtol * |expected|. */
export interface Tolerance {
  readonly atol?: number;
  readonly rtol?: number;
}

/** The worst place of a comparison. */
export interface Deviation {
  readonly index: number;
  readonly got: number;
  readonly expected: number;
  /** Excess over the tolerance; at most 0 where it holds. */
  readonly excess: number;
}

/** Finds the place that exceeds its tolerance most; a value that is not finite where the expected one is exceeds any. */
export function worstDeviation(got: ArrayLike<number>, expected: ArrayLike<number>, tolerance: Tolerance): Deviation {
  const { atol = 0, rtol = 0 } = tolerance;
  let worst: Deviation = { index: -1, got: 0, expected: 0, excess: Number.NEGATIVE_INFINITY };
  for (let index = 0; index < expected.length; index++) {
    const [a, b] = [got[index] as number, expected[index] as number];
    const difference = Object.is(a, b) ? 0 : Math.abs(a - b);
    const excess = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference - atol - rtol * Math.abs(b);
    if (excess > worst.excess) worst = { index, got: a, expected: b, excess };
  }
  return worst;
}

/** Asserts that a tensor or array agrees with the expected numbers, length included. */
export async function expectClose(
  got: tf.Tensor | ArrayLike<number>,
  expected: tf.Tensor | ArrayLike<number>,
  tolerance: Tolerance = { atol: 1e-5, rtol: 1e-5 },
): Promise<void> {
  const [a, b] = [await read(got), await read(expected)];
  expect(a.length, 'number of values').toBe(b.length);
  const worst = worstDeviation(a, b, tolerance);
  if (worst.excess > 0) {
    expect.fail(
      `value ${worst.index} is ${worst.got}, expected ${worst.expected} within atol ${tolerance.atol ?? 0}, rtol ${tolerance.rtol ?? 0}`,
    );
  }
}

async function read(values: tf.Tensor | ArrayLike<number>): Promise<ArrayLike<number>> {
  return 'data' in values ? values.data() : values;
}
