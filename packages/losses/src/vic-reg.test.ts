import * as tf from '@tensorflow/tfjs-core';
import { describeEngines, expectClose, expectGradient, expectNoLeak, numberOf, valuesOf } from '@tfjs-ssl/testing';
import { describe, expect, it } from 'vitest';
import { vicReg } from './index.ts';

const views = (images: number, columns: number, seed = 1) =>
  tf.randomNormal<tf.Rank.R2>([2 * images, columns], 0, 0.8, 'float32', seed);

/** Rows of sines, of which the values below were computed elsewhere in double precision. */
const sines = (images: number, columns: number) =>
  tf.tensor2d(
    Array.from({ length: 2 * images }, (_, i) =>
      Array.from({ length: columns }, (__, d) => Math.sin(1 + 0.7 * i * columns + 1.3 * d + 0.05 * i * d)),
    ),
  );

/** The three terms in double precision, by the matrix that the formula names. */
function reference(rows: number[][]): [invariance: number, variance: number, covariance: number] {
  const images = rows.length / 2;
  const [x, y] = [rows.slice(0, images), rows.slice(images)];
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const invariance = mean(x.flatMap((row, n) => row.map((value, d) => (value - y[n]![d]!) ** 2)));
  let [variance, covariance] = [0, 0];
  for (const view of [x, y]) {
    const columns = view[0]!.map((_, d) => view.map((row) => row[d]!));
    const centred = columns.map((values) => values.map((value) => value - mean(values)));
    centred.forEach((a, i) => {
      centred.forEach((b, j) => {
        const c = a.reduce((sum, value, n) => sum + value * b[n]!, 0) / (images - 1);
        if (i === j) variance += Math.max(0, 1 - Math.sqrt(c + 1e-4)) / columns.length / 2;
        else covariance += (c * c) / columns.length;
      });
    });
  }
  return [invariance, variance, covariance];
}

const terms = [
  { mu: 0, nu: 0, lambda: 1 },
  { lambda: 0, nu: 0, mu: 1 },
  { lambda: 0, mu: 0, nu: 1 },
];

describeEngines('vicReg', () => {
  it('equals a case worked by hand', async () => {
    // x varies by 2 in both features, alike (covariance 2); y does not vary.
    const projections = tf.tensor2d([
      [1, 1],
      [-1, -1],
      [0, 0],
      [0, 0],
    ]);
    const weights = [25, 25, 1] as const;
    const expected = weights[0] * 1 + weights[1] * ((0 + 0.99) / 2) + weights[2] * ((4 + 4) / 2);
    expect(await numberOf(() => vicReg(projections))).toBeCloseTo(expected, 4);
  });

  it('equals values of double precision', async () => {
    const expected = [
      [4, 8, 49.998638315, 1.402866232, 0.577398331, 0.492024238],
      [8, 16, 33.878419916, 0.988831863, 0.256175444, 2.753237242],
    ];
    for (const [images, columns, total, ...each] of expected as [number, number, number, ...number[]][]) {
      const z = sines(images, columns);
      await expectClose([await numberOf(() => vicReg(z))], [total], { rtol: 2e-6 });
      for (const [i, weights] of terms.entries())
        await expectClose([await numberOf(() => vicReg(z, weights))], [each[i]!], { rtol: 3e-6 });
    }
  });

  // Fewer images than features, as many, and more: the two forms of the sum.
  it.each([
    [3, 9],
    [6, 6],
    [12, 5],
    [2, 1],
  ])('equals the formula for %i images and %i features', async (images, columns) => {
    const z = views(images, columns);
    const expected = reference((await z.array()) as number[][]);
    for (const [i, weights] of terms.entries())
      await expectClose([await numberOf(() => vicReg(z, weights))], [expected[i]!], { rtol: 3e-6, atol: 1e-6 });
  });

  it.each([
    [3, 9],
    [12, 5],
  ])('has the gradient of its differences for %i images and %i features', async (images, columns) => {
    for (const weights of [{}, ...terms])
      await expectGradient((z) => vicReg(z as tf.Tensor2D, weights), [tf.mul(views(images, columns), 0.5)], {
        step: 2e-3,
      });
  });

  it("is the paper's eq. 6 by the weights that the description names", async () => {
    const z = views(6, 4);
    const [invariance, variance, covariance] = reference((await z.array()) as number[][]);
    const paper = 25 * 4 * invariance + 25 * 2 * variance + covariance;
    await expectClose([await numberOf(() => vicReg(z, { lambda: 25 * 4, mu: 50 }))], [paper], { rtol: 1e-5 });
  });

  it('does not change with a shift of all, the order of images or the exchange of views', async () => {
    const z = views(6, 5);
    const plain = await numberOf(() => vicReg(z));
    await expectClose([await numberOf(() => vicReg(tf.add(z, 10)))], [plain], { rtol: 1e-5 });
    const order = tf.tensor1d([8, 10, 9, 6, 11, 7, 2, 4, 3, 0, 5, 1], 'int32');
    await expectClose([await numberOf(() => vicReg(tf.gather(z, order)))], [plain], { rtol: 1e-5 });
  });

  it('has a finite gradient for collapsed projections', async () => {
    const z = tf.zeros([16, 6]) as tf.Tensor2D;
    expect(await numberOf(() => vicReg(z))).toBeCloseTo(24.75, 4);
    const gradient = await valuesOf(() => tf.grad((x) => vicReg(x as tf.Tensor2D))(z));
    expect(gradient.every(Number.isFinite)).toBe(true);
  });

  it('leaves no tensors behind', async () => {
    for (const z of [views(3, 9), views(9, 3)]) {
      await expectNoLeak(() => {
        vicReg(z).dispose();
        tf.grad((x) => vicReg(x as tf.Tensor2D))(z).dispose();
      });
    }
  });
});

describe('vicReg refuses', () => {
  it('what does not fit', () => {
    const call =
      (shape: number[], options = {}) =>
      () =>
        vicReg(tf.ones(shape as [number, number]), options);
    expect(call([7, 4])).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: vicReg: projections must have an even number of rows, two views per image, got shape [7, 4]. Concatenate both views first.]`,
    );
    expect(call([2, 4])).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: vicReg: projections must hold two views of at least 2 images, got shape [2, 4]. The loss compares the images of a batch: use a larger batch.]`,
    );
    expect(call([8])).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: vicReg: projections must have rank 2, one row per view, got shape [8]. Flatten or pool each view to a vector first.]`,
    );
    expect(call([8, 4], { nu: Number.NaN })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: vicReg: nu must be a finite number of at least 0, got NaN. 0 leaves its term out.]`,
    );
    expect(call([8, 4], { gamma: 0 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: vicReg: gamma must be a finite number above 0, got 0. The paper takes 1.]`,
    );
    expect(call([8, 4], { epsilon: -1 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: vicReg: epsilon must be a finite number above 0, got -1. The paper takes 1e-4.]`,
    );
  });
});
