import * as tf from '@tensorflow/tfjs-core';
import { describeEngines, expectClose, expectGradient, expectNoLeak, numberOf, valuesOf } from '@tfjs-ssl/testing';
import { describe, expect, it } from 'vitest';
import { dcl } from './index.ts';

const views = (images: number, columns = 5, seed = 1) =>
  tf.randomNormal<tf.Rank.R2>([2 * images, columns], 0, 1, 'float32', seed);

/** Rows of sines, of which the values below were computed elsewhere in double precision. */
const sines = (images: number, columns: number) =>
  tf.tensor2d(
    Array.from({ length: 2 * images }, (_, i) =>
      Array.from({ length: columns }, (__, d) => Math.sin(1 + 0.7 * i * columns + 1.3 * d + 0.05 * i * d)),
    ),
  );

/** The loss in double precision, pair by pair. */
function reference(rows: number[][], temperature: number, sigma?: number): number {
  const unit = rows.map((row) => row.map((value) => value / Math.max(Math.hypot(...row), 1e-12)));
  const cosine = (i: number, j: number) => unit[i]!.reduce((sum, value, d) => sum + value * unit[j]![d]!, 0);
  const partner = (i: number) => (i + rows.length / 2) % rows.length;
  const meanOfPairs = rows.reduce((sum, _, i) => sum + Math.exp(cosine(i, partner(i)) / (sigma ?? 1)), 0) / rows.length;
  const losses = rows.map((_, i) => {
    const positive = cosine(i, partner(i));
    const negatives = rows.flatMap((__, j) => (j === i || j === partner(i) ? [] : [cosine(i, j) / temperature]));
    const largest = Math.max(...negatives);
    const logSum = largest + Math.log(negatives.reduce((sum, value) => sum + Math.exp(value - largest), 0));
    const weight = sigma === undefined ? 1 : 2 - Math.exp(positive / sigma) / meanOfPairs;
    return logSum - (weight * positive) / temperature;
  });
  return losses.reduce((sum, value) => sum + value, 0) / losses.length;
}

describeEngines('dcl', () => {
  it('equals a case worked by hand', async () => {
    // Cosines with the positive are 1 and 0; anchors of image 0 see 0 and 1 among image 1's views, those of image 1 see 0 twice or 1 twice.
    const projections = tf.tensor2d([
      [2, 0],
      [0, 3],
      [5, 0],
      [1, 0],
    ]);
    const [one, zero] = [2, 0]; // over the temperature
    const logSums = [
      Math.log(Math.exp(zero) + Math.exp(one)),
      Math.log(2),
      Math.log(Math.exp(zero) + Math.exp(one)),
      one + Math.log(2),
    ];
    const plain = (logSums.reduce((sum, value) => sum + value, 0) - 2 * one) / 4;
    expect(await numberOf(() => dcl(projections, { temperature: 0.5 }))).toBeCloseTo(plain, 6);
    const weight = 2 - Math.exp(1 / 0.5) / ((Math.exp(1 / 0.5) + 1) / 2);
    const weighted = (logSums.reduce((sum, value) => sum + value, 0) - 2 * weight * one) / 4;
    expect(await numberOf(() => dcl(projections, { temperature: 0.5, sigma: 0.5 }))).toBeCloseTo(weighted, 6);
  });

  it.each([
    [4, 8, 0.07, 18.875788022],
    [4, 8, 0.1, 13.386037449],
    [4, 8, 0.5, 3.554198895],
    [4, 8, 1, 2.559935438],
    [8, 16, 0.07, 8.05683154],
    [8, 16, 0.5, 2.763634943],
  ])(
    'equals the value of double precision for %i images of %i, temperature %f',
    async (images, columns, temperature, loss) => {
      await expectClose([await numberOf(() => dcl(sines(images, columns), { temperature }))], [loss], { rtol: 2e-6 });
    },
  );

  it.each([
    [2, 0.1],
    [7, 0.5],
    [40, 0.05],
  ])('equals the formula for %i images, temperature %f', async (images, temperature) => {
    const z = views(images);
    const rows = (await z.array()) as number[][];
    for (const sigma of [undefined, 0.5, 0.1]) {
      const options = { temperature, ...(sigma && { sigma }) };
      const tolerance = { rtol: 2e-6, atol: 1e-6 / temperature };
      await expectClose([await numberOf(() => dcl(z, options))], [reference(rows, temperature, sigma)], tolerance);
    }
  });

  it('has the gradient of its differences', async () => {
    await expectGradient((z) => dcl(z as tf.Tensor2D, { temperature: 0.4 }), [views(5)], { step: 3e-3 });
  });

  it('has a gradient in which weights are constants', async () => {
    const z = views(3, 4);
    const gradient = await valuesOf(() => tf.grad((x) => dcl(x as tf.Tensor2D, { temperature: 0.5, sigma: 0.5 }))(z));
    // The same sum with weights computed beforehand.
    const unit = tf.div(z, tf.norm(z, 2, 1, true));
    const [a, b] = tf.split(unit, 2) as [tf.Tensor, tf.Tensor];
    const weights = tf.sub(2, tf.mul(3, tf.softmax(tf.div(tf.sum(tf.mul(a, b), 1), 0.5))));
    const excess = tf.sub(weights, 1);
    const withConstants = (x: tf.Tensor) => {
      const [c, d] = tf.split(tf.div(x, tf.norm(x, 2, 1, true)), 2) as [tf.Tensor, tf.Tensor];
      const added = tf.div(tf.mean(tf.mul(excess, tf.sum(tf.mul(c, d), 1))), 0.5);
      return tf.sub(dcl(x as tf.Tensor2D, { temperature: 0.5 }), added);
    };
    await expectClose(gradient, await valuesOf(() => tf.grad(withConstants)(z)), { atol: 1e-5 });
  });

  it('is log(2N - 2) for collapsed projections, and does not change with lengths of rows or the order of images', async () => {
    expect(await numberOf(() => dcl(tf.ones([16, 3]), { temperature: 0.1 }))).toBeCloseTo(Math.log(14), 5);
    const z = views(4);
    const options = { temperature: 0.2, sigma: 0.5 };
    const plain = await numberOf(() => dcl(z, options));
    const lengths = tf.tensor2d([1e-10, 1e30, 1, 1e20, 1e-5, 1e10, 1, 3], [8, 1]);
    await expectClose([await numberOf(() => dcl(tf.mul(z, lengths), options))], [plain], { rtol: 1e-5 });
    const order = tf.tensor1d([7, 4, 5, 6, 3, 0, 1, 2], 'int32');
    await expectClose([await numberOf(() => dcl(tf.gather(z, order), options))], [plain], { rtol: 1e-5 });
  });

  it('stays finite, and so does its gradient, for zero rows and a temperature of 0.001', async () => {
    const z = tf.mul(views(4), tf.tensor2d([0, 1, 1, 1, 0, 0, 1, 1], [8, 1]));
    for (const options of [{ temperature: 0.5, sigma: 0.5 }, { temperature: 0.001 }]) {
      expect(Number.isFinite(await numberOf(() => dcl(z as tf.Tensor2D, options)))).toBe(true);
      const gradient = await valuesOf(() => tf.grad((x) => dcl(x as tf.Tensor2D, options))(z));
      expect(gradient.every(Number.isFinite)).toBe(true);
    }
  });

  it('leaves no tensors behind', async () => {
    const z = views(4);
    for (const options of [{ temperature: 0.5 }, { temperature: 0.5, sigma: 0.5 }]) {
      await expectNoLeak(() => {
        dcl(z, options).dispose();
        tf.grad((x) => dcl(x as tf.Tensor2D, options))(z).dispose();
      });
    }
  });
});

describe('dcl refuses', () => {
  it('what does not fit', () => {
    const call =
      (shape: number[], options = {}) =>
      () =>
        dcl(tf.ones(shape as [number, number]), { temperature: 0.5, ...options });
    expect(call([7, 4])).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: dcl: projections must have an even number of rows, two views per image, got shape [7, 4]. Concatenate both views first.]`,
    );
    expect(call([2, 4])).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: dcl: projections must hold two views of at least 2 images, got shape [2, 4]. The loss compares the images of a batch: use a larger batch.]`,
    );
    expect(call([8, 4], { temperature: 0 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: dcl: temperature must be a finite number above 0, got 0. Usual values lie between 0.05 and 1.]`,
    );
    expect(call([8, 4], { sigma: -1 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: dcl: sigma must be a finite number above 0, got -1. The paper takes 0.5; leave it out for the plain form.]`,
    );
  });
});
