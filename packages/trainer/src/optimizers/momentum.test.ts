import * as tf from '@tensorflow/tfjs-core';
import { describeEngines, expectClose, expectNoLeak } from '@tfjs-ssl/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { NamedVariables, Optimizer } from '../types.ts';
import { lars } from './lars.ts';
import { sgd } from './sgd.ts';

/** Applies given gradients, one row a step, to a matrix and a vector that start at the given values. */
async function run(
  optimizer: Optimizer,
  start: number[],
  gradients: number[][],
  rates: number[],
): Promise<[number[], number[]]> {
  const parameters: NamedVariables = tf.tidy(() => ({
    weight: tf.variable(tf.tensor2d(start, [1, start.length])),
    bias: tf.variable(tf.tensor1d(start)),
  }));
  const state = optimizer.createState(parameters);
  gradients.forEach((gradient, i) => {
    tf.tidy(() => {
      const named = { weight: tf.tensor2d(gradient, [1, gradient.length]), bias: tf.tensor1d(gradient) };
      optimizer.update(parameters, named, state, tf.tensor1d(optimizer.scalars(i + 1, rates[i] as number)));
    });
  });
  const [weight, bias] = await Promise.all(
    Object.values(parameters).map(async (parameter) => Array.from(await parameter.data())),
  );
  tf.dispose([parameters, state]);
  return [weight as number[], bias as number[]];
}

const values = fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 3, maxLength: 3 });
const steps = fc.array(values, { minLength: 1, maxLength: 4 });

describeEngines('sgd', () => {
  it('equals cases worked by hand', async () => {
    const gradients = [[1], [1]];
    await expectClose((await run(sgd(), [1], gradients, [0.1, 0.2]))[0], [0.7], { atol: 1e-6 });
    // v = 1, then 0.5 + 1
    await expectClose((await run(sgd({ momentum: 0.5 }), [1], gradients, [0.1, 0.2]))[0], [1 - 0.1 - 0.3], {
      atol: 1e-6,
    });
    // 1 + 0.5 v: 1.5, then 1 + 0.75
    const nesterov = sgd({ momentum: 0.5, nesterov: true });
    await expectClose((await run(nesterov, [1], gradients, [0.1, 0.2]))[0], [1 - 0.15 - 0.35], { atol: 1e-6 });
    // g + 0.1 p: 1.1, then 1 + 0.089
    const decayed = sgd({ weightDecay: 0.1 });
    await expectClose((await run(decayed, [1], gradients, [0.1, 0.1]))[0], [1 - 0.11 - 0.1089], { atol: 1e-6 });
    const excluded = sgd({ weightDecay: 0.1, exclude: 'vectors' });
    await expectClose((await run(excluded, [1], gradients, [0.1, 0.1]))[1], [0.8], { atol: 1e-6 });
  });

  it('needs no state without momentum', () => {
    expect(sgd().slots).toEqual([]);
    expect(sgd().createState({})).toEqual({});
    expect(sgd({ momentum: 0.9 }).slots).toEqual(['velocity']);
  });
});

describeEngines('lars', () => {
  it('moves a matrix by lr * coefficient * |p| in the direction of the gradient, a vector as sgd does', async () => {
    // |p| = 5, g / |g| = (0, 1): 0.1 * 0.01 * 5
    for (const flavour of ['simclr', 'popular', 'torch'] as const) {
      const optimizer = lars({ flavour, momentum: 0, weightDecay: 0, trustCoefficient: 0.01 });
      const [weight, bias] = await run(optimizer, [3, 4], [[0, 7]], [0.1]);
      await expectClose(weight, [3, 4 - 0.005], { atol: 1e-6 });
      await expectClose(bias, [3, 4 - 0.7], { atol: 1e-6 });
    }
  });

  it('has a first step that does not depend on the scale of the gradient', async () => {
    await fc.assert(
      fc.asyncProperty(values, values, fc.constantFrom('simclr', 'popular', 'torch'), async (p, g, flavour) => {
        const optimizer = lars({ flavour: flavour as never, weightDecay: 0 });
        const [small] = await run(optimizer, p, [g], [0.5]);
        const [large] = await run(optimizer, p, [g.map((value) => value * 1000)], [0.5]);
        // a zero matrix has no trust ratio and moves by lr * g
        if (p.some((value) => value !== 0)) await expectClose(small, large, { atol: 1e-5 });
      }),
      { numRuns: 20 },
    );
  });

  it('has flavours that agree as they should: all in one step, simclr and torch while the rate is constant', async () => {
    await fc.assert(
      fc.asyncProperty(values, steps, async (p, gradients) => {
        const rates = gradients.map(() => 0.3);
        const [simclr, popular, torch] = (['simclr', 'popular', 'torch'] as const).map(
          (flavour) => async (g: number[][]) => {
            return (await run(lars({ flavour, weightDecay: 0.01 }), p, g, rates))[0];
          },
        );
        await expectClose(await simclr!(gradients), await torch!(gradients), { atol: 1e-4, rtol: 1e-5 });
        await expectClose(await simclr!(gradients.slice(0, 1)), await popular!(gradients.slice(0, 1)), {
          atol: 1e-4,
          rtol: 1e-5,
        });
      }),
      { numRuns: 20 },
    );
  });

  it('is sgd for what it excludes, and for zero gradients', async () => {
    const everything = lars({ flavour: 'torch', exclude: [/./], weightDecay: 0.5 });
    const plain = sgd({ momentum: 0.9 });
    const gradients = [
      [1, 2],
      [0, 0],
      [-3, 1],
    ];
    const rates = [0.1, 0.2, 0.3];
    await expectClose(
      (await run(everything, [1, -1], gradients, rates))[0],
      (await run(plain, [1, -1], gradients, rates))[0],
      {
        atol: 0,
      },
    );
    await expectClose((await run(lars({ weightDecay: 0 }), [1, 2], [[0, 0]], [1]))[0], [1, 2], { atol: 0 });
    await expectClose((await run(lars({ weightDecay: 0 }), [0, 0], [[1, 2]], [1]))[0], [-1, -2], { atol: 0 });
  });

  it('leaves no tensors behind', async () => {
    const gradients = [
      [1, 2],
      [3, 4],
    ];
    for (const optimizer of [sgd(), sgd({ momentum: 0.9, nesterov: true }), lars(), lars({ flavour: 'popular' })]) {
      await expectNoLeak(async () => void (await run(optimizer, [1, 2], gradients, [0.1, 0.1])));
    }
  });
});

describe('sgd and lars', () => {
  it('give one scalar and a config for JSON', () => {
    expect(lars().scalars(7, 0.25)).toEqual([0.25]);
    expect(lars().config).toEqual({
      flavour: 'simclr',
      momentum: 0.9,
      nesterov: false,
      weightDecay: 1e-6,
      trustCoefficient: 0.001,
      exclude: 'vectors',
    });
  });

  it('refuse numbers outside their ranges', () => {
    expect(() => sgd({ nesterov: true })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: sgd: momentum must be above 0 with nesterov, got 0. Set momentum, usually 0.9.]`,
    );
    expect(() => sgd({ momentum: 1 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: sgd: momentum must be a finite number in [0, 1), got 1. Leave it out to use the default.]`,
    );
    expect(() => lars({ trustCoefficient: -1 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: lars: trustCoefficient must be a finite number of at least 0, got -1. Leave it out to use the default.]`,
    );
    expect(() => lars({ flavour: 'larc' as never })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: lars: flavour must be 'simclr', 'popular' or 'torch', got 'larc'. Its documentation has the formula of each.]`,
    );
    expect(() => lars({ exclude: ['bias'] as never })).toThrow(TypeError);
  });
});
