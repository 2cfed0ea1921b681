import * as tf from '@tensorflow/tfjs-core';
import { describeEngines, expectNoLeak } from '@tfjs-ssl/testing';
import { describe, expect, it } from 'vitest';
import { alignment, effectiveRank, uniformity } from './index.ts';

const matrix = (rows: number[][]) => tf.tensor2d(rows, [rows.length, rows[0]!.length], 'float32');

describeEngines('alignment, uniformity, effectiveRank', () => {
  it('equal cases worked by hand', async () => {
    const pairs = matrix([
      [1, 0],
      [0, 2],
      [3, 0],
      [1, 0],
    ]);
    expect(await alignment(pairs)).toBeCloseTo(1, 6);
    // Of the six pairs three are equal, three at a right angle: |difference|^2 = 2.
    expect(await uniformity(pairs)).toBeCloseTo(Math.log((3 + 3 * Math.exp(-4)) / 6), 6);
    expect(await uniformity(pairs, { t: 0.5 })).toBeCloseTo(Math.log((3 + 3 * Math.exp(-1)) / 6), 6);
    // Singular values 3 and 1.
    const two = matrix([
      [0, 3, 0],
      [1, 0, 0],
    ]);
    const entropy = -0.75 * Math.log(0.75) - 0.25 * Math.log(0.25);
    expect(await effectiveRank(two)).toBeCloseTo(Math.exp(entropy), 9);
    const opposite = matrix([
      [1, 2],
      [-2, -4],
    ]);
    expect(await alignment(opposite)).toBeCloseTo(4, 5);
    expect(await uniformity(opposite)).toBeCloseTo(-8, 4);
    expect(await effectiveRank(opposite)).toBeCloseTo(1, 9);
    tf.dispose([pairs, two, opposite]);
  });

  it('tell collapse: to a point, to zeros, to a line, to a few dimensions', async () => {
    const row = Array.from({ length: 96 }, (_, i) => Math.sin(i) * 7 + 0.1);
    const point = tf.tidy(() => tf.tile(tf.tensor2d(row, [1, 96]), [500, 1])) as tf.Tensor2D;
    const zeros = tf.zeros<tf.Rank.R2>([500, 96]);
    for (const features of [point, zeros]) {
      expect(await effectiveRank(features)).toBeCloseTo(1, 6);
      expect(await uniformity(features)).toBeCloseTo(0, 5);
      expect(await alignment(features)).toBeCloseTo(0, 6);
    }
    const line = tf.mul(point, tf.randomUniform([500, 1], 0.1, 3, 'float32', 1)) as tf.Tensor2D;
    expect(await uniformity(line)).toBeCloseTo(0, 5);
    expect(await effectiveRank(line)).toBeLessThan(1.001);
    const spread = tf.randomNormal<tf.Rank.R2>([2000, 4], 0, 1, 'float32', 2);
    const few = tf.pad(spread, [
      [0, 0],
      [3, 89],
    ]) as tf.Tensor2D;
    expect(await effectiveRank(few)).toBeCloseTo(await effectiveRank(spread), 9);
    expect(await effectiveRank(few)).toBeGreaterThan(3.95);
    tf.dispose([point, zeros, line, spread, few]);
  });

  it('do not depend on the length of long rows', async () => {
    const rows = tf.randomNormal<tf.Rank.R2>([40, 5], 0, 1, 'float32', 4);
    const scaled = tf.mul<tf.Tensor2D>(rows, 1e20); // whose squares are beyond float32
    expect(await alignment(scaled)).toBeCloseTo(await alignment(rows), 5);
    expect(await uniformity(scaled)).toBeCloseTo(await uniformity(rows), 5);
    tf.dispose([rows, scaled]);
  });

  it('give the same for rows that take several blocks, and leave no tensors', async () => {
    const small = tf.randomNormal<tf.Rank.R2>([1100, 3], 0, 1, 'float32', 3);
    const large = tf.tile(small, [4, 1]) as tf.Tensor2D;
    await expectNoLeak(async () => {
      // Each of the 1100 rows comes four times: mean over unordered pairs from the mean over different rows.
      const mean = Math.exp(await uniformity(small));
      const pairs = (16 * mean * 1100 * 1099 + 1100 * 4 * 3) / (4400 * 4399);
      expect(await uniformity(large)).toBeCloseTo(Math.log(pairs), 5);
      expect(await effectiveRank(large)).toBeCloseTo(await effectiveRank(small), 9);
      expect(await alignment(large)).toBeCloseTo(0, 6);
    });
    tf.dispose([small, large]);
  });
});

describe('alignment, uniformity and effectiveRank refuse', () => {
  it('what does not fit', async () => {
    const nan = () => tf.tensor2d([[1], [Number.NaN]]);
    await expect(alignment(tf.ones([3, 2]))).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: alignment: projections must have an even number of rows (two views per image), got 3. Concatenate all first views and all second views.]`,
    );
    await expect(alignment(nan())).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: alignment: projections must be finite, got NaN or infinity in row 1. The encoder has diverged, or its input was not finite.]`,
    );
    await expect(uniformity(tf.ones([1, 2]))).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: uniformity: features must have at least two rows, got 1. Pass features of several images.]`,
    );
    await expect(uniformity(nan())).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: uniformity: features must be finite, got NaN or infinity in row 1. The encoder has diverged, or its input was not finite.]`,
    );
    await expect(uniformity(tf.ones([2, 2]), { t: 0 })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: uniformity: t must be a finite number above 0, got 0. Leave it out for 2.]`,
    );
    await expect(effectiveRank(tf.ones([2]) as never)).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: effectiveRank: features must be float32 of shape [rows, columns], got float32 of shape [2]. Pass one row of features per image.]`,
    );
    await expect(effectiveRank(nan())).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: effectiveRank: features must be finite, got NaN or infinity in row 1. The encoder has diverged, or its input was not finite.]`,
    );
  });
});
