import * as tf from '@tensorflow/tfjs-core';
import { describeEngines, expectClose, expectNoLeak } from '@tfjs-ssl/testing';
import { describe, expect, it } from 'vitest';
import type { MomentumUpdateOptions } from './contract/updates.ts';
import { momentumUpdate } from './momentum-update.ts';

const sgd: MomentumUpdateOptions = {
  momentum: 0.9,
  nesterov: false,
  flavour: 'torch',
  weightDecays: [0],
  trustCoefficients: [0],
};

/** One step of one parameter in double precision: the new parameter and velocity. */
function reference(
  p: number[],
  gradient: number[],
  v: number[],
  rate: number,
  { momentum, nesterov, flavour, weightDecays, trustCoefficients }: MomentumUpdateOptions,
): { p: number[]; v: number[] } {
  const trust = (d: number[]) => {
    const [size, length] = [Math.hypot(...p), Math.hypot(...d)];
    return trustCoefficients[0] && Math.min(size, length) > 0 ? (trustCoefficients[0] * size) / length : 1;
  };
  const g = gradient.map((value, i) => value + weightDecays[0]! * p[i]!);
  const a = { simclr: rate * trust(g), torch: trust(g), popular: 1 }[flavour];
  const velocity = g.map((value, i) => momentum * v[i]! + a * value);
  const d = nesterov ? velocity.map((value, i) => momentum * value + a * g[i]!) : velocity;
  const b = { simclr: 1, torch: rate, popular: rate * trust(d) }[flavour];
  return { p: p.map((value, i) => value - b * d[i]!), v: velocity };
}

const flavours = ['simclr', 'popular', 'torch'] as const;
const combinations = flavours.flatMap((flavour) =>
  [0, 0.9].flatMap((momentum) =>
    [0, 0.02].flatMap((trust) => [
      { flavour, momentum, nesterov: false, weightDecays: [0], trustCoefficients: [trust] },
      { flavour, momentum, nesterov: momentum > 0, weightDecays: [0.1], trustCoefficients: [trust] },
    ]),
  ),
);

describeEngines('momentumUpdate', () => {
  it.each(combinations)('follows the formula over several steps: %j', async (options) => {
    const size = 37;
    let expected = { p: Array.from({ length: size }, (_, i) => Math.sin(i)), v: new Array<number>(size).fill(0) };
    const p = tf.variable(tf.tensor1d(expected.p));
    const v = tf.variable(tf.zeros([size]));
    for (let step = 0; step < 3; step++) {
      const gradient = Array.from({ length: size }, (_, i) => Math.cos(3 * i + step));
      const rate = 0.1 / (step + 1);
      tf.tidy(() => momentumUpdate([p], [tf.tensor1d(gradient)], [v], tf.tensor1d([rate]), options));
      expected = reference(expected.p, gradient, expected.v, rate, options);
    }
    await expectClose(await p.data(), expected.p, { rtol: 2e-6, atol: 2e-6 });
    if (options.momentum > 0) await expectClose(await v.data(), expected.v, { rtol: 2e-6, atol: 2e-6 });
  });

  it('updates many parameters, each by its own numbers, large ones too', async () => {
    const sizes = [1, 40_000, 6];
    const options = { ...sgd, weightDecays: [0, 0.5, 0.25], trustCoefficients: [0, 0.01, 0] };
    const parameters = sizes.map((size) => tf.variable(tf.fill([size], 2)));
    const velocities = sizes.map((size) => tf.variable(tf.zeros([size])));
    const gradients = sizes.map((size) => tf.fill([size], 3));
    momentumUpdate(parameters, gradients, velocities, tf.tensor1d([0.1]), options);
    const moved = [2 - 0.3, 2 - 0.1 * 0.01 * 2, 2 - 0.35]; // a direction of equal elements, of norm 1 by element
    for (const [i, size] of sizes.entries()) {
      await expectClose(await parameters[i]!.data(), new Array(size).fill(moved[i]), { rtol: 1e-5 });
    }
  });

  it('scales gradients, and leaves everything as it is where it does not apply', async () => {
    for (const flavour of flavours) {
      const options = { ...sgd, flavour, trustCoefficients: [0.1] };
      const [p, q] = [tf.variable(tf.tensor1d([1, -2])), tf.variable(tf.tensor1d([1, -2]))];
      const [v, w] = [tf.variable(tf.tensor1d([0.5, 0.25])), tf.variable(tf.tensor1d([0.5, 0.25]))];
      const rate = tf.tensor1d([0.1]);
      momentumUpdate([p], [tf.tensor1d([3, 4])], [v], rate, options);
      momentumUpdate([q], [tf.tensor1d([1536, 2048])], [w], rate, options, tf.tensor1d([1 / 512, 1]));
      await expectClose(await q.data(), await p.data(), {});
      await expectClose(await w.data(), await v.data(), {});
      const before = [await q.data(), await w.data()];
      const bad = tf.tensor1d([Number.NaN, Number.POSITIVE_INFINITY]);
      momentumUpdate([q], [bad], [w], rate, options, tf.tensor1d([1 / 512, 0]));
      expect([await q.data(), await w.data()]).toEqual(before);
    }
  });

  it('changes nothing but the variables, even where they share memory', async () => {
    const initial = tf.tensor1d([1, 2]);
    const zeros = tf.zeros([2]);
    const [p, v] = [tf.variable(initial), tf.variable(zeros)];
    const gradient = tf.tensor1d([1, 1]);
    momentumUpdate([p], [gradient], [v], tf.tensor1d([0.1]), sgd);
    await expectClose(await initial.data(), [1, 2]);
    await expectClose(await zeros.data(), [0, 0]);
    await expectClose(await gradient.data(), [1, 1]);
    await expectClose(await p.data(), [0.9, 1.9]);
    await expectClose(await v.data(), [1, 1]);
  });

  it('gives back all memory, and takes no parameters at all', async () => {
    const [p, v] = [tf.variable(tf.ones([4])), tf.variable(tf.zeros([4]))];
    const [gradient, rate, scale] = [tf.ones([4]), tf.tensor1d([0.1]), tf.tensor1d([1, 1])];
    await expectNoLeak(() => momentumUpdate([p], [gradient], [v], rate, sgd, scale));
    momentumUpdate([], [], [], rate, { ...sgd, weightDecays: [], trustCoefficients: [] });
  });
});

describe('momentumUpdate', () => {
  it('refuses lists that do not fit together', () => {
    const [p, v, g, rate] = [tf.variable(tf.ones([2])), tf.variable(tf.zeros([2])), tf.ones([2]), tf.tensor1d([0.1])];
    expect(() => momentumUpdate([p], [g], [], rate, sgd)).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: momentumUpdate: velocities must hold 1 tensors, one per parameter, got 0. Pass all lists in the order of the parameters.]`,
    );
    expect(() => momentumUpdate([p], [g], [v], rate, { ...sgd, weightDecays: [] })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: momentumUpdate: weightDecays must hold 1 numbers, one per parameter, got 0. Pass all lists in the order of the parameters.]`,
    );
    expect(() => momentumUpdate([p], [g], [v], tf.tensor1d([1, 2]), sgd)).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: momentumUpdate: scalars must have shape [1], got [2]. Pass [learningRate].]`,
    );
    expect(() => momentumUpdate([p], [g], [v], rate, sgd, tf.tensor1d([1]))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: momentumUpdate: gradientScale must be float32 of shape [2], got float32 of shape [1]. Pass [factor, 1 to apply or 0 to skip].]`,
    );
  });
});
