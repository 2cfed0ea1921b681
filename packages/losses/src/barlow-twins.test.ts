import * as tf from '@tensorflow/tfjs-core';
import { describeEngines, expectClose, expectGradient, expectNoLeak, numberOf, valuesOf } from '@tfjs-ssl/testing';
import { describe, expect, it } from 'vitest';
import { barlowTwins } from './index.ts';

const views = (images: number, columns: number, seed = 1) =>
  tf.randomNormal<tf.Rank.R2>([2 * images, columns], 0, 1, 'float32', seed);

/** Rows of sines, of which the values below were computed elsewhere in double precision. */
const sines = (images: number, columns: number) =>
  tf.tensor2d(
    Array.from({ length: 2 * images }, (_, i) =>
      Array.from({ length: columns }, (__, d) => Math.sin(1 + 0.7 * i * columns + 1.3 * d + 0.05 * i * d)),
    ),
  );

/** The loss in double precision, by the matrix that the formula names. */
function reference(rows: number[][], lambda: number): number {
  const images = rows.length / 2;
  const standard = (view: number[][]) => {
    const columns = view[0]!.map((_, d) => view.map((row) => row[d]!));
    return columns.map((values) => {
      const mean = values.reduce((sum, value) => sum + value, 0) / images;
      const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / images;
      return values.map((value) => (value - mean) / Math.sqrt(variance + 1e-5));
    });
  };
  const [a, b] = [standard(rows.slice(0, images)), standard(rows.slice(images))];
  let loss = 0;
  a.forEach((x, i) => {
    b.forEach((y, j) => {
      const c = x.reduce((sum, value, n) => sum + value * y[n]!, 0) / images;
      loss += i === j ? (1 - c) ** 2 : lambda * c * c;
    });
  });
  return loss;
}

describeEngines('barlowTwins', () => {
  it('equals a case worked by hand', async () => {
    // Standardised columns are +-1: C = [[1, -1], [1, -1]].
    const projections = tf.tensor2d([
      [2000, 3],
      [-2000, -3e3],
      [500, -70],
      [-500, 7e4],
    ]);
    expect(await numberOf(() => barlowTwins(projections, { lambda: 0.25 }))).toBeCloseTo(4 + 2 * 0.25, 6);
  });

  it('equals values of double precision', async () => {
    expect(await numberOf(() => barlowTwins(sines(4, 8)))).toBeCloseTo(16.531178973, 4);
    expect(await numberOf(() => barlowTwins(sines(8, 16)))).toBeCloseTo(23.913123642, 4);
  });

  // Fewer images than features, as many, and more: the two forms of the sum.
  it.each([
    [3, 9],
    [6, 6],
    [12, 5],
    [2, 1],
  ])('equals the formula for %i images and %i features', async (images, columns) => {
    const z = views(images, columns);
    for (const lambda of [0, 0.005, 1]) {
      const expected = reference((await z.array()) as number[][], lambda);
      await expectClose([await numberOf(() => barlowTwins(z, { lambda }))], [expected], { rtol: 2e-6, atol: 1e-6 });
    }
  });

  it.each([
    [3, 9],
    [12, 5],
  ])('has the gradient of its differences for %i images and %i features', async (images, columns) => {
    await expectGradient((z) => barlowTwins(z as tf.Tensor2D, { lambda: 0.3 }), [views(images, columns)], {
      step: 2e-3,
    });
  });

  it('changes neither with scale and shift of features, nor the order of images, nor the exchange of views', async () => {
    const z = views(8, 5);
    const plain = await numberOf(() => barlowTwins(z));
    const moved = () => barlowTwins(tf.add(tf.mul(z, [1e3, -5, 1e2, 30, 1e19]), [1e3, 1, -1e2, 0, 5e18]));
    await expectClose([await numberOf(moved)], [plain], { rtol: 1e-4 });
    const order = tf.tensor1d([8, 10, 9, 15, 12, 13, 11, 14, 0, 2, 1, 7, 4, 5, 3, 6], 'int32');
    await expectClose([await numberOf(() => barlowTwins(tf.gather(z, order)))], [plain], { rtol: 1e-5 });
  });

  it('is the number of features for collapsed projections, with a finite gradient', async () => {
    const z = tf.fill([16, 6], 3) as tf.Tensor2D;
    expect(await numberOf(() => barlowTwins(z))).toBeCloseTo(6, 5);
    const gradient = await valuesOf(() => tf.grad((x) => barlowTwins(x as tf.Tensor2D))(z));
    expect(gradient.every(Number.isFinite)).toBe(true);
  });

  it('is right for values of 1e30', async () => {
    const z = views(6, 4);
    const plain = await numberOf(() => barlowTwins(z));
    await expectClose([await numberOf(() => barlowTwins(tf.mul(z, 1e30)))], [plain], { rtol: 1e-4 });
  });

  it('leaves no tensors behind', async () => {
    for (const z of [views(3, 9), views(9, 3)]) {
      await expectNoLeak(() => {
        barlowTwins(z).dispose();
        tf.grad((x) => barlowTwins(x as tf.Tensor2D))(z).dispose();
      });
    }
  });
});

describe('barlowTwins refuses', () => {
  it('what does not fit', () => {
    const call =
      (shape: number[], options = {}) =>
      () =>
        barlowTwins(tf.ones(shape as [number, number]), options);
    expect(call([7, 4])).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: barlowTwins: projections must have an even number of rows, two views per image, got shape [7, 4]. Concatenate both views first.]`,
    );
    expect(call([2, 4])).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: barlowTwins: projections must hold two views of at least 2 images, got shape [2, 4]. The loss compares the images of a batch: use a larger batch.]`,
    );
    expect(call([8])).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: barlowTwins: projections must have rank 2, one row per view, got shape [8]. Flatten or pool each view to a vector first.]`,
    );
    expect(() => barlowTwins(tf.ones([8, 4], 'int32') as tf.Tensor2D)).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: barlowTwins: projections must be float32, got int32. Cast it with tf.cast(x, 'float32'): the loss is computed in float32 at every precision of the step.]`,
    );
    expect(call([8, 4], { lambda: -1 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: barlowTwins: lambda must be a finite number of at least 0, got -1. 0 leaves its term out.]`,
    );
    expect(call([8, 4], { epsilon: 0 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: barlowTwins: epsilon must be a finite number above 0, got 0. Batch norm takes 1e-5.]`,
    );
  });
});
