import * as tf from '@tensorflow/tfjs-core';
import { describeEngines, expectClose, expectNoLeak } from '@tfjs-ssl/testing';
import { describe, expect, it } from 'vitest';
import type { NamedVariables, Optimizer } from '../types.ts';
import { adam, adamW } from './adam.ts';

/** Runs an optimizer on gradients that follow from the parameters, and returns the parameters. */
async function run(
  optimizer: Optimizer,
  start: Record<string, number[]>,
  steps: number,
  learningRate: number,
): Promise<number[]> {
  const parameters: NamedVariables = Object.fromEntries(
    Object.entries(start).map(([name, values]) => [
      name,
      tf.tidy(() => tf.variable(name.endsWith('bias') ? tf.tensor1d(values) : tf.tensor2d(values, [1, values.length]))),
    ]),
  );
  const state = optimizer.createState(parameters);
  for (let step = 1; step <= steps; step++) {
    tf.tidy(() => {
      const gradients = Object.fromEntries(
        Object.entries(parameters).map(([name, p]) => [name, tf.sub(tf.mul(p, 2), 0.3)]),
      );
      optimizer.update(parameters, gradients, state, tf.tensor1d(optimizer.scalars(step, learningRate)));
    });
  }
  const values = await Promise.all(
    Object.values(parameters).map(async (parameter) => Array.from(await parameter.data())),
  );
  return values.flat();
}

/** The same in double precision, one number at a time. */
function reference(p: number, steps: number, lr: number, decay: { l2?: number; decoupled?: number }): number {
  let [value, m, v] = [p, 0, 0];
  for (let t = 1; t <= steps; t++) {
    const gradient = 2 * value - 0.3 + (decay.l2 ?? 0) * value;
    value *= 1 - lr * (decay.decoupled ?? 0);
    m = 0.9 * m + 0.1 * gradient;
    v = 0.999 * v + 0.001 * gradient * gradient;
    value -= ((lr / (1 - 0.9 ** t)) * m) / (Math.sqrt(v) / Math.sqrt(1 - 0.999 ** t) + 1e-8);
  }
  return value;
}

const start = { 'fc.weight': [1, -2, 0.5], 'fc.bias': [0.7] };
const values = [1, -2, 0.5, 0.7];

describeEngines('adam and adamW', () => {
  it('move by the learning rate in the first step, whatever the size of the gradient', async () => {
    await expectClose(await run(adam(), start, 1, 0.01), [0.99, -1.99, 0.49, 0.69], { atol: 1e-6 });
  });

  it.each([
    ['adam', adam(), {}],
    ['adam with L2', adam({ weightDecay: 0.3 }), { l2: 0.3 }],
    ['adamW', adamW({ weightDecay: 0.3 }), { decoupled: 0.3 }],
    ['adamW by default', adamW(), { decoupled: 0.01 }],
  ])('%s equals the formula in double precision', async (_, optimizer, decay) => {
    const expected = values.map((value) => reference(value, 15, 0.05, decay));
    await expectClose(await run(optimizer, start, 15, 0.05), expected, { atol: 3e-6 });
  });

  it('leave excluded parameters without decay', async () => {
    const expected = values.map((value, i) => reference(value, 9, 0.05, { l2: i < 3 ? 0.3 : 0 }));
    await expectClose(await run(adam({ weightDecay: 0.3, exclude: 'vectors' }), start, 9, 0.05), expected, {
      atol: 3e-6,
    });
    await expectClose(await run(adam({ weightDecay: 0.3, exclude: [/bias$/g] }), start, 9, 0.05), expected, {
      atol: 3e-6,
    });
    const none = values.map((value) => reference(value, 9, 0.05, {}));
    await expectClose(await run(adam({ weightDecay: 0.3, exclude: [/^fc/] }), start, 9, 0.05), none, { atol: 3e-6 });
  });

  it.each([
    [[0.9, 0.999], 5, 3],
    [[0.9, 0.999], 17, 16],
    [[0.5, 0.99], 40, 1],
    [[0.9, 0.9999], 30_000, 70],
    [[0, 0.999], 3, 2],
    [[0.9, 0.999], 5_000_000, 2500],
  ] as const)('with betas %s count at step %i the %i that were skipped out', async (betas, step, skipped) => {
    const optimizer = adam({ betas });
    const [all, number] = [tf.tensor1d(optimizer.scalars(step, 0.25)), tf.scalar(skipped)];
    const corrected = optimizer.withoutSkipped?.(all, number) as tf.Tensor1D;
    await expectClose(corrected, optimizer.scalars(step - skipped, 0.25), { rtol: 5e-6 });
  });

  it('keep the scalars of a run that skipped nothing, bit for bit, and leave nothing behind', async () => {
    const optimizer = adamW();
    const [all, none] = [tf.tensor1d(optimizer.scalars(7, 1e-3)), tf.scalar(0)];
    await expectNoLeak(async () => {
      const same = optimizer.withoutSkipped?.(all, none) as tf.Tensor1D;
      expect(await same.data()).toEqual(await all.data());
      same.dispose();
    });
  });

  it('leave no tensors behind but their state', async () => {
    tf.disposeVariables(); // those of other tests
    await expectNoLeak(async () => {
      await run(adam({ weightDecay: 0.1, exclude: 'vectors' }), start, 3, 0.1);
      tf.disposeVariables();
    });
    const parameters = { w: tf.variable(tf.zeros([2])) };
    const before = tf.memory().numTensors;
    const state = adam().createState(parameters);
    expect(tf.memory().numTensors - before).toBe(2);
    expect(Object.keys(state)).toEqual(adam().slots);
    expect(Object.values(state).every((slot) => slot.w?.trainable === false)).toBe(true);
  });
});

describe('adam', () => {
  it('gives the scalars of a step and a config for JSON', async () => {
    await expectClose(adam().scalars(3, 0.5), [0.5, 1 - 0.9 ** 3, 1 - 0.999 ** 3], { rtol: 1e-15 });
    const { config } = adamW({ exclude: [/bias$/, /bn/i] });
    expect(JSON.parse(JSON.stringify(config))).toEqual(config);
    expect(config).toEqual({ betas: [0.9, 0.999], epsilon: 1e-8, weightDecay: 0.01, exclude: ['/bias$/', '/bn/i'] });
  });

  it('refuses numbers outside their ranges', () => {
    expect(() => adam({ betas: [1, 0.999] })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: adam: betas[0] must be a finite number in [0, 1), got 1. Leave it out to use the default.]`,
    );
    expect(() => adam({ weightDecay: -1 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: adam: weightDecay must be a finite number of at least 0, got -1. Leave it out to use the default.]`,
    );
    expect(() => adamW({ epsilon: Number.NaN })).toThrow(RangeError);
    expect(() => adam({ exclude: 'bias' as never })).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: adam: exclude must be 'none', 'vectors' or a list of regular expressions, got 'bias'. Name the parameters by patterns, for example [/bias$/].]`,
    );
    expect(() => adam().scalars(0, 0.1)).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: adam: step must be an integer of at least 1, got 0. Updates are counted from 1.]`,
    );
    expect(() => adam().scalars(1, Number.NaN)).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: adam: learningRate must be a finite number of at least 0, got NaN. Check the schedule at step 0.]`,
    );
  });

  it('refuses gradients, state and scalars that do not fit', () => {
    const optimizer = adam();
    const parameters = { w: tf.variable(tf.zeros([2])) };
    const state = optimizer.createState(parameters);
    const scalars = tf.tensor1d([1, 1, 1]);
    const w = tf.zeros([2]);
    const update = (gradients: object, used: object, numbers: tf.Tensor1D) => () =>
      optimizer.update(parameters, gradients as never, used as never, numbers);
    expect(update({}, state, scalars)).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: adam: gradient of 'w' must have shape [2], got none. Pass gradients and state of the same parameters, under the same names.]`,
    );
    expect(update({ w: tf.zeros([3]) }, state, scalars)).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: adam: gradient of 'w' must have shape [2], got [3]. Pass gradients and state of the same parameters, under the same names.]`,
    );
    expect(update({ w }, { firstMoment: state.firstMoment }, scalars)).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: adam: secondMoment of 'w' must have shape [2], got none. Pass gradients and state of the same parameters, under the same names.]`,
    );
    expect(update({ w }, state, tf.tensor1d([1]))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: adam: scalars must have shape [3], got [1]. Upload what scalars(step, learningRate) returns.]`,
    );
  });
});
