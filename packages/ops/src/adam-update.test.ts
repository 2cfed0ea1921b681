import * as tf from '@tensorflow/tfjs-core';
import { describeEngines, expectClose, expectNoLeak } from '@tfjs-ssl/testing';
import { expect, it } from 'vitest';
import { adamUpdate } from './adam-update.ts';
import type { AdamUpdateOptions } from './contract/updates.ts';

const plain: AdamUpdateOptions = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, decoupled: false };

/** Scalars of step t, counted from 1. */
const scalarsOf = (t: number, rate: number, { beta1, beta2 }: AdamUpdateOptions): tf.Tensor1D =>
  tf.tensor1d([rate, 1 - beta1 ** t, 1 - beta2 ** t]);

/** The formula of one element in double precision. */
function reference(steps: number[], start: number, rate: number, o: AdamUpdateOptions): number {
  let [p, m, v] = [start, 0, 0];
  steps.forEach((gradient, i) => {
    if (o.decoupled) p *= 1 - rate * o.weightDecay;
    const g = o.decoupled ? gradient : gradient + o.weightDecay * p;
    m = o.beta1 * m + (1 - o.beta1) * g;
    v = o.beta2 * v + (1 - o.beta2) * g * g;
    const [c1, c2] = [1 - o.beta1 ** (i + 1), 1 - o.beta2 ** (i + 1)];
    p -= ((rate / c1) * m) / (Math.sqrt(v) / Math.sqrt(c2) + o.epsilon);
  });
  return p;
}

describeEngines('adamUpdate', () => {
  it('moves by the learning rate against the sign of the first gradient', async () => {
    const p = tf.variable(tf.tensor1d([1, -1, 5]));
    const [m, v] = [tf.variable(tf.zeros([3])), tf.variable(tf.zeros([3]))];
    adamUpdate([p], [tf.tensor1d([2, -300, 0])], [m], [v], scalarsOf(1, 0.1, plain), plain);
    await expectClose(p, [0.9, -0.9, 5]);
    await expectClose(m, [0.2, -30, 0]);
    await expectClose(v, [0.004, 90, 0]);
  });

  it.each([
    { ...plain },
    { ...plain, weightDecay: 0.1 },
    { ...plain, weightDecay: 0.1, decoupled: true },
    { beta1: 0.5, beta2: 0.8, epsilon: 0.1, weightDecay: 0, decoupled: false },
  ])('follows the formula over several steps: %j', async (options) => {
    const gradients = [
      [1, -2],
      [0.5, 3],
      [-2, 1e-3],
      [0, 0],
    ]; // of two parameters, step by step
    const starts = [0.7, -1.3];
    const parameters = starts.map((value) => tf.variable(tf.tensor2d([[value]])));
    const firstMoments = starts.map(() => tf.variable(tf.zeros([1, 1])));
    const secondMoments = starts.map(() => tf.variable(tf.zeros([1, 1])));
    gradients.forEach((row, i) => {
      const tensors = row.map((value) => tf.tensor2d([[value]]));
      adamUpdate(parameters, tensors, firstMoments, secondMoments, scalarsOf(i + 1, 0.03, options), options);
    });
    for (const [i, start] of starts.entries()) {
      const expected = reference(
        gradients.map((row) => row[i] as number),
        start,
        0.03,
        options,
      );
      await expectClose(parameters[i] as tf.Tensor, [expected], { rtol: 1e-5, atol: 1e-6 });
    }
  });

  it('scales gradients, and leaves everything as it is where it does not apply', async () => {
    const options = { ...plain, weightDecay: 0.1 };
    const make = () =>
      [
        [1, -2],
        [0.5, 0.25],
        [1, 2],
      ].map((values) => tf.variable(tf.tensor1d(values)));
    const [p, m, v] = make() as [tf.Variable, tf.Variable, tf.Variable];
    const scaled = make() as [tf.Variable, tf.Variable, tf.Variable];
    const scalars = scalarsOf(2, 0.1, options);
    adamUpdate([p], [tf.tensor1d([3, 4])], [m], [v], scalars, options);
    const update = (gradient: number[], scale: number[]) =>
      adamUpdate([scaled[0]], [tf.tensor1d(gradient)], [scaled[1]], [scaled[2]], scalars, options, tf.tensor1d(scale));
    update([1536, 2048], [1 / 512, 1]);
    const values = (variables: tf.Variable[]) => Promise.all(variables.map((variable) => variable.data()));
    expect(await values(scaled)).toEqual(await values([p, m, v]));
    update([Number.NaN, Number.POSITIVE_INFINITY], [1 / 512, 0]);
    expect(await values(scaled)).toEqual(await values([p, m, v]));
  });

  it('changes nothing but the variables, even where they share memory', async () => {
    const initial = tf.tensor1d([1, 2]);
    const zeros = tf.zeros([2]);
    const p = tf.variable(initial);
    const [m, v] = [tf.variable(zeros), tf.variable(zeros)];
    const before = tf.clone(p);
    const gradient = tf.tensor1d([1, 1]);
    adamUpdate([p], [gradient], [m], [v], scalarsOf(1, 0.1, plain), plain);
    await expectClose(initial, [1, 2]);
    await expectClose(before, [1, 2]);
    await expectClose(zeros, [0, 0]);
    await expectClose(gradient, [1, 1]);
    await expectClose(p, [0.9, 1.9]);
    await expectClose(m, [0.1, 0.1]);
    await expectClose(v, [0.001, 0.001]);
  });

  it('gives back all memory', async () => {
    const [p, m, v] = [tf.variable(tf.ones([4])), tf.variable(tf.zeros([4])), tf.variable(tf.zeros([4]))];
    const gradient = tf.ones([4]);
    const scalars = scalarsOf(1, 0.1, plain);
    const options = { ...plain, weightDecay: 0.1 };
    await expectNoLeak(() => adamUpdate([p], [gradient], [m], [v], scalars, options));
    const buffers = tf.memory().numDataBuffers;
    adamUpdate([p], [gradient], [m], [v], scalars, options);
    expect(tf.memory().numDataBuffers).toBe(buffers);
  });

  it('takes no parameters at all', () => {
    adamUpdate([], [], [], [], scalarsOf(1, 0.1, plain), plain);
  });

  it('refuses lists that do not fit together', () => {
    const p = tf.variable(tf.ones([2]));
    const [m, v] = [tf.variable(tf.zeros([2])), tf.variable(tf.zeros([2]))];
    const scalars = scalarsOf(1, 0.1, plain);
    expect(() => adamUpdate([p], [], [m], [v], scalars, plain)).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: adamUpdate: gradients must hold 1 tensors, one per parameter, got 0. Pass all lists in the order of the parameters.]`,
    );
    expect(() => adamUpdate([p], [tf.ones([3])], [m], [v], scalars, plain)).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: adamUpdate: gradients[0] must have the shape of its parameter, [2], got [3]. Pass all lists in the order of the parameters.]`,
    );
    expect(() =>
      adamUpdate([p], [tf.ones([2])], [m], [v], tf.tensor1d([0.1]), plain),
    ).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: adamUpdate: scalars must have shape [3], got [1]. Pass [learningRate, 1 - beta1^t, 1 - beta2^t].]`,
    );
  });
});
