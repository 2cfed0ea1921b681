import * as tf from '@tensorflow/tfjs-core';
import { describeEngines } from '@tfjs-ssl/testing';
import { expect, it } from 'vitest';
import { expectAsReference, gpu } from '../../test-support/reference.ts';

const transposed = [[false, false], [false, true], [true, false], [true, true]] as const; // biome-ignore format: a table

describeEngines('the matrix product', () => {
  it.each([
    [64, 96, 48],
    [7, 5, 3],
    [1, 100, 33],
    [5, 1, 5],
  ])('of %i x %i by %i, all transpositions', async (m, k, n) => {
    for (const [ta, tb] of transposed) {
      await expectAsReference([ta ? [k, m] : [m, k], tb ? [n, k] : [k, n]], ([a, b]) => [tf.matMul(a!, b!, ta, tb)], {
        tolerance: 1e-5,
      });
    }
  });

  it('of batches, with broadcasting', async () => {
    for (const [ta, tb] of [transposed[0], transposed[3]]) {
      await expectAsReference(
        [ta ? [3, 2, 6, 5] : [3, 2, 5, 6], tb ? [1, 1, 7, 6] : [1, 1, 6, 7]],
        ([a, b]) => [tf.matMul(a!, b!, ta, tb)],
        { tolerance: 1e-5 },
      );
    }
    const run = ([a, b]: tf.Tensor[]) => [tf.matMul(a!, b!)];
    await expectAsReference([[2, 1, 4, 8], [1, 3, 8, 4]], run, { tolerance: 1e-5, compose: stacked }); // biome-ignore format: short
  });

  /** Broadcasting of both sides, which the reference does not have: one product after another. */
  const stacked = ([a, b]: tf.Tensor[]) => {
    const left = tf.unstack(tf.reshape(a!, [2, 4, 8]));
    const right = tf.unstack(tf.reshape(b!, [3, 8, 4]));
    return [tf.stack(left.map((x) => tf.stack(right.map((y) => tf.matMul(x, y)))))];
  };

  it('splits long sums, with the same bits in every run', async () => {
    const run = ([a, b]: tf.Tensor[]) => [tf.matMul(a!, b!, true, false)];
    await expectAsReference([[3000, 16], [3000, 8]], run, { tolerance: 1e-5 }); // biome-ignore format: short
    const a = tf.randomNormal([3000, 16], 0, 1, 'float32', 1);
    const b = tf.randomNormal([3000, 8], 0, 1, 'float32', 2);
    const [first, second] = [tf.matMul(a, b, true), tf.matMul(a, b, true)];
    expect(await second.data()).toEqual(await first.data());
  });

  it.each(['linear', 'relu', 'elu'] as const)('fused with bias and %s', async (activation) => {
    const run = ([a, b, bias]: tf.Tensor[]) => [
      tf.fused.matMul({ a: a as tf.Tensor2D, b: b as tf.Tensor2D, bias: bias!, activation }),
    ];
    await expectAsReference([[9, 12], [12, 10], [10]], run, { tolerance: 1e-5 });
  });

  it('in mixed precision', async ({ skip }) => {
    skip(!gpu().device.features.has('shader-f16'), 'this device has no float16');
    for (const [ta, tb] of [transposed[0], transposed[3]]) {
      await expectAsReference(
        [ta ? [40, 64] : [64, 40], tb ? [24, 40] : [40, 24]],
        ([a, b]) => [tf.matMul(a!, b!, ta, tb)],
        { precision: 'mixed', tolerance: 2e-3 },
      );
    }
  });

  it('in mixed precision, takes what float16 cannot hold for infinite', async ({ skip }) => {
    const backend = gpu();
    skip(!backend.device.features.has('shader-f16'), 'this device has no float16');
    backend.precision = 'mixed';
    try {
      const c = tf.matMul(tf.tensor2d([[1e5, 1], [-1e5, 1], [65504, 1]]), tf.tensor2d([[1], [1]])); // biome-ignore format: short
      expect(Array.from(await c.data())).toEqual([Infinity, -Infinity, 65505]);
    } finally {
      backend.precision = 'float32';
    }
  });

  it('says which sizes do not agree', () => {
    expect(() =>
      tf
        .engine()
        .runKernel('BatchMatMul', { a: tf.ones([2, 3]), b: tf.ones([4, 5]) }, { transposeA: false, transposeB: false }),
    ).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: matMul: b must have the inner size of a, 3 of shape [2, 3] with transposeA false, got 4 of shape [4, 5] with transposeB false. Transpose or reshape one of them.]`,
    );
  });
});
