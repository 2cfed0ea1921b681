import * as tf from '@tensorflow/tfjs-core';
import { describeEngines, expectClose, expectGradient, expectNoLeak, numberOf, valuesOf } from '@tfjs-ssl/testing';
import { describe, expect, it } from 'vitest';
import { ntXent, supCon } from './index.ts';

const vectors = (rows: number, seed = 1) => tf.randomNormal<tf.Rank.R2>([rows, 5], 0, 1, 'float32', seed);
const classes = (...labels: number[]) => tf.tensor1d(labels, 'int32');

/** The losses of the rows that have positives, in double precision, pair by pair. */
function reference(rows: number[][], labels: number[], temperature: number): number[] {
  const unit = rows.map((row) => row.map((value) => value / Math.max(Math.hypot(...row), 1e-12)));
  const logit = (i: number, j: number) =>
    unit[i]!.reduce((sum, value, d) => sum + value * unit[j]![d]!, 0) / temperature;
  return rows.flatMap((_, i) => {
    const others = rows.map((__, j) => j).filter((j) => j !== i);
    const positives = others.filter((j) => labels[j] === labels[i]);
    const largest = Math.max(...others.map((j) => logit(i, j)));
    const logSum = largest + Math.log(others.reduce((sum, j) => sum + Math.exp(logit(i, j) - largest), 0));
    if (positives.length === 0) return [];
    return [positives.reduce((sum, j) => sum + logSum - logit(i, j), 0) / positives.length];
  });
}

const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

describeEngines('supCon', () => {
  it('equals a case worked by hand', async () => {
    // Rows at 0, 0 and 90 degrees; the third has no positive.
    const projections = tf.tensor2d([
      [2, 0],
      [3, 0],
      [0, 1],
    ]);
    const each = Math.log(1 + Math.exp(-1 / 0.5));
    const loss = (options = {}) =>
      numberOf(() => supCon(projections, classes(4, 4, -7), { temperature: 0.5, ...options }));
    expect(await loss()).toBeCloseTo(each, 6);
    expect(await loss({ countLonely: true })).toBeCloseTo((2 * each) / 3, 6);
  });

  it.each([0.05, 0.1, 1])('equals the formula, temperature %f', async (temperature) => {
    const z = vectors(9);
    const labels = [0, 1, 2, 2, 1, 3, 2, 2, 0];
    const expected = reference((await z.array()) as number[][], labels, temperature);
    const tolerance = { rtol: 2e-6, atol: 1e-6 / temperature };
    const got = await numberOf(() => supCon(z, classes(...labels), { temperature }));
    await expectClose([got], [mean(expected)], tolerance);
    const all = await numberOf(() => supCon(z, classes(...labels), { temperature, countLonely: true }));
    await expectClose([all], [(mean(expected) * expected.length) / 9], tolerance);
  });

  it('is ntXent, and has its gradient, with a label of its own for every image', async () => {
    const z = vectors(12);
    const labels = classes(0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5);
    for (const temperature of [0.07, 0.5]) {
      const [ours, theirs] = [
        tf.valueAndGrad((x: tf.Tensor) => supCon(x as tf.Tensor2D, labels, { temperature }))(z),
        tf.valueAndGrad((x: tf.Tensor) => ntXent(x as tf.Tensor2D, { temperature }))(z),
      ];
      await expectClose(ours.value, theirs.value, { rtol: 1e-6, atol: 1e-6 });
      await expectClose(ours.grad, theirs.grad, { atol: 3e-6 });
    }
  });

  it('tells labels apart that differ by one, however large they are', async () => {
    const z = vectors(4);
    const expected = await numberOf(() => supCon(z, classes(0, 1, 0, 1), { temperature: 0.5 }));
    for (const label of [2 ** 24, -(2 ** 24) - 1, 2 ** 31 - 2, -(2 ** 31)]) {
      const large = classes(label, label + 1, label, label + 1);
      await expectClose([await numberOf(() => supCon(z, large, { temperature: 0.5 }))], [expected], { rtol: 1e-7 });
    }
  });

  it('has the gradient of its differences', async () => {
    const labels = classes(0, 1, 1, 2, 0, 1, 7);
    await expectGradient((z) => supCon(z as tf.Tensor2D, labels, { temperature: 0.4 }), [vectors(7)], { step: 3e-3 });
  });

  it('is 0 with a gradient of 0 where no row has a positive', async () => {
    const labels = classes(0, 1, 2);
    const { value, grad } = tf.valueAndGrad((z: tf.Tensor) => supCon(z as tf.Tensor2D, labels, { temperature: 0.5 }))(
      vectors(3),
    );
    await expectClose(value, [0], {});
    await expectClose(grad, new Float32Array(15), {});
  });

  it('does not change with names of classes, the order or the lengths of rows', async () => {
    const z = vectors(6);
    const plain = await numberOf(() => supCon(z, classes(0, 1, 1, 2, 0, 0), { temperature: 0.2 }));
    const lengths = tf.tensor2d([1e-10, 1e30, 1, 1e20, 1e-5, 1e10], [6, 1]);
    const scaled = () => supCon(tf.mul(z, lengths), classes(9, -3, -3, 5, 9, 9), { temperature: 0.2 });
    await expectClose([await numberOf(scaled)], [plain], { rtol: 1e-5 });
    const order = classes(3, 0, 5, 1, 4, 2);
    const moved = () => supCon(tf.gather(z, order), classes(2, 0, 0, 1, 0, 1), { temperature: 0.2 });
    await expectClose([await numberOf(moved)], [plain], { rtol: 1e-5 });
  });

  it('stays finite, and so does its gradient, for zero rows and a temperature of 0.001', async () => {
    const z = tf.mul(vectors(4), tf.tensor2d([0, 1, 1, 0], [4, 1]));
    for (const temperature of [0.5, 0.001]) {
      const loss = (x: tf.Tensor) => supCon(x as tf.Tensor2D, classes(0, 1, 1, 0), { temperature });
      expect(Number.isFinite(await numberOf(() => loss(z)))).toBe(true);
      expect((await valuesOf(() => tf.grad(loss)(z))).every(Number.isFinite)).toBe(true);
    }
  });

  it('leaves no tensors behind', async () => {
    const [z, labels] = [vectors(4), classes(0, 1, 1, 0)];
    await expectNoLeak(() => {
      supCon(z, labels, { temperature: 0.5 }).dispose();
      tf.grad((x) => supCon(x as tf.Tensor2D, labels, { temperature: 0.5 }))(z).dispose();
    });
  });
});

describe('supCon refuses', () => {
  it('what does not fit', () => {
    const call =
      (projections: tf.Tensor, labels: tf.Tensor, temperature = 0.5) =>
      () =>
        supCon(projections as tf.Tensor2D, labels as tf.Tensor1D, { temperature });
    expect(call(tf.ones([4]), classes(0, 1, 1, 0))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: supCon: projections must have rank 2 and at least 1 row and 1 column, got shape [4]. Flatten or pool each view to a vector first.]`,
    );
    expect(call(tf.ones([1, 4]), classes(0))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: supCon: projections must have at least 2 rows, got 1. The loss compares the rows of a batch: use a larger batch.]`,
    );
    expect(call(tf.ones([4, 2]), classes(0, 1))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: supCon: labels must have shape [4], one label per row of projections, got [2]. Repeat the labels of the images for every view.]`,
    );
    expect(call(tf.ones([4, 2]), tf.ones([4, 2]))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: supCon: labels must have shape [4], one label per row of projections, got [4, 2]. Repeat the labels of the images for every view.]`,
    );
    expect(call(tf.ones([4, 2]), tf.ones([4]))).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: supCon: labels must be int32, got float32. Cast the labels, or take the argmax of one-hot rows.]`,
    );
    expect(call(tf.ones([4, 2]), classes(0, 1, 1, 0), Number.NaN)).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: supCon: temperature must be a finite number above 0, got NaN. Usual values lie between 0.05 and 1.]`,
    );
  });
});
