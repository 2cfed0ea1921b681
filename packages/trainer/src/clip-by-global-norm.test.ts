import * as tf from '@tensorflow/tfjs-core';
import { describeEngines, expectClose, expectNoLeak, valuesOf } from '@tfjs-ssl/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clipByGlobalNorm } from './clip-by-global-norm.ts';

const clip = async (a: number[], b: number[], maxNorm: number): Promise<number[]> => {
  const values = await valuesOf(() => {
    const clipped = clipByGlobalNorm({ a: tf.tensor1d(a), b: tf.tensor2d(b, [1, b.length]) }, maxNorm);
    expect(clipped.b?.shape).toEqual([1, b.length]);
    return tf.concat(Object.values(clipped).map((tensor) => tf.reshape(tensor, [-1])));
  });
  return Array.from(values);
};

describeEngines('clipByGlobalNorm', () => {
  it('scales a case worked by hand', async () => {
    await expectClose(await clip([3, 0], [4], 1), [0.6, 0, 0.8], { atol: 1e-6 });
  });

  it('leaves gradients below the norm as they are, zeros included', async () => {
    await expectClose(await clip([3, 0], [4], 5.01), [3, 0, 4], { atol: 0 });
    await expectClose(await clip([0, 0], [0], 1e-3), [0, 0, 0], { atol: 0 });
  });

  it('takes as many gradients as a deep network has', async () => {
    const values = await valuesOf(() => {
      const gradients = Array.from({ length: 110 }, (_, i) => [`${i}`, tf.fill([3], i % 2 === 0 ? 1 : -2)]);
      return tf.concat(Object.values(clipByGlobalNorm(Object.fromEntries(gradients), 1)));
    });
    const norm = Math.sqrt(55 * 3 * (1 + 4));
    const expected = Array.from({ length: 330 }, (_, i) => (Math.floor(i / 3) % 2 === 0 ? 1 : -2) / norm);
    await expectClose(Array.from(values), expected, { rtol: 1e-6 });
  });

  it('bounds the norm and keeps the direction', async () => {
    const numbers = fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(numbers, numbers, fc.constantFrom(0.01, 1, 100), async (a, b, maxNorm) => {
        const clipped = await clip(a, b, maxNorm);
        const norm = Math.hypot(...a, ...b);
        const factor = Math.min(1, maxNorm / (norm + 1e-6));
        await expectClose(
          clipped,
          [...a, ...b].map((value) => value * factor),
          { rtol: 1e-5, atol: 1e-7 },
        );
        expect(Math.hypot(...clipped)).toBeLessThanOrEqual(maxNorm * 1.00001);
      }),
      { numRuns: 20 },
    );
  });

  it('makes NaN of all gradients where their norm is infinite or NaN, or leaves float32 on the way', async () => {
    for (const a of [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN, 3e19, -1e30]) {
      expect(await clip([a, 2], [1], 1)).toEqual([Number.NaN, Number.NaN, Number.NaN]);
    }
    await expectClose(await clip([3e18, 0], [4e18], 1), [0.6, 0, 0.8], { atol: 1e-6 });
  });

  it('leaves no tensors behind but its results', async () => {
    const gradients = { a: tf.ones([3]), b: tf.ones([2, 2]) };
    await expectNoLeak(() => tf.dispose(clipByGlobalNorm(gradients, 1)));
    tf.dispose(gradients);
  });
});

describe('clipByGlobalNorm refuses', () => {
  it('no gradients, and norms that are not > 0', () => {
    expect(() => clipByGlobalNorm({}, 1)).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: clipByGlobalNorm: gradients must hold at least one tensor, got none. Pass the gradients of the step.]`,
    );
    const gradients = { a: tf.ones([1]) };
    expect(() => clipByGlobalNorm(gradients, 0)).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: clipByGlobalNorm: maxNorm must be a finite number above 0, got 0. To train without clipping, do not call this function.]`,
    );
    expect(() => clipByGlobalNorm(gradients, Number.NaN)).toThrow(RangeError);
    expect(() => clipByGlobalNorm(gradients, Number.POSITIVE_INFINITY)).toThrow(RangeError);
    tf.dispose(gradients);
  });
});
