import * as tf from '@tensorflow/tfjs-core';
import { currentEngine } from '@tfjs-ssl/engine';
import { describeEngines, expectClose } from '@tfjs-ssl/testing';
import { expect, it } from 'vitest';
import { adam } from './optimizers/adam.ts';
import { sgd } from './optimizers/sgd.ts';
import { constantSchedule } from './schedules/constant-schedule.ts';
import { Trainer } from './trainer.ts';
import type { Optimizer } from './types.ts';

/** A linear model whose loss and its gradient a factor enlarges, so that they overflow where it is huge. */
function linear(precision: 'float32' | 'mixed', optimizer: Optimizer, clipNorm?: number) {
  const weight = tf.tidy(() => tf.variable(tf.tensor2d([0.5, -0.25, 0.125, 1], [4, 1])));
  const trainer = new Trainer({
    parameters: { weight },
    inputs: { x: { shape: [8, 4] }, gain: { shape: [] } },
    loss: ({ x, gain }) => ({
      loss: tf.mul(gain as tf.Scalar, tf.mean(tf.square(tf.matMul(x as tf.Tensor2D, weight as tf.Tensor2D)))),
    }),
    optimizer,
    schedule: constantSchedule({ learningRate: 0.05 }),
    precision,
    ...(clipNorm === undefined ? {} : { clipNorm }),
  });
  const inputs = (gain = 1) => ({
    x: tf.tensor2d(
      Array.from({ length: 32 }, (_, i) => Math.round(8 * Math.sin(i + 1)) / 8),
      [8, 4],
    ),
    gain: tf.scalar(gain),
  });
  return { weight, trainer, inputs };
}

describeEngines('a trainer in mixed precision', () => {
  it('is refused by an engine that has float32 only', ({ skip }) => {
    skip(currentEngine().precisions.includes('mixed'), 'this engine has mixed precision');
    const { numTensors } = tf.memory();
    expect(() => linear('mixed', sgd())).toThrow(
      /^compile: precision must be 'float32' on engine '.*' \(.*\), got 'mixed'\. Choose another engine or device, or leave precision out\.$/s,
    );
    expect(tf.memory().numTensors).toBe(numTensors + 1); // the weight alone
  });

  it.for([
    ['sgd', () => sgd({ momentum: 0.9 }), undefined],
    ['adam', () => adam(), undefined],
    ['clipped sgd', () => sgd(), 0.1],
  ] as const)('follows float32 with %s', async ([_name, optimizer, clipNorm], { skip }) => {
    skip(!currentEngine().precisions.includes('mixed'), 'this engine has float32 only');
    const losses: Record<string, number[]> = {};
    for (const precision of ['float32', 'mixed'] as const) {
      const { trainer, inputs } = linear(precision, optimizer(), clipNorm);
      losses[precision] = [];
      for (let i = 0; i < 6; i++) {
        const result = await trainer.step(inputs());
        losses[precision].push(result.loss);
        expect([result.lossScale, result.skipped]).toEqual(
          precision === 'mixed' ? [65536, false] : [undefined, undefined],
        );
      }
      trainer.dispose();
    }
    losses.mixed?.forEach((loss, i) => {
      expect(Math.abs(loss / (losses.float32?.[i] as number) - 1)).toBeLessThan(0.02);
    });
    expect(losses.float32?.[5]).toBeLessThan(losses.float32?.[0] as number);
  });

  it('does not count a skipped step in the bias correction of Adam', async ({ skip }) => {
    skip(!currentEngine().precisions.includes('mixed'), 'this engine has float32 only');
    const weights: number[][] = [];
    for (const overflows of [[], [0, 1, 4]]) {
      const { trainer, weight, inputs } = linear('mixed', adam());
      for (let i = 0; trainer.stepsDone < 6 + overflows.length; i++) {
        const { skipped } = await trainer.step(inputs(overflows.includes(i as never) ? 1e36 : 1));
        expect(skipped).toBe(overflows.includes(i as never));
      }
      weights.push(Array.from(await weight.data()));
      trainer.dispose();
    }
    // the factors of the loss are powers of two: only float16's range makes a difference
    const [unbroken, withSkips] = weights as [number[], number[]];
    await expectClose(withSkips, unbroken, { atol: 1e-5 });
  });

  it('skips a step that overflows, says so, and goes on; all of it resumes from a state', async ({ skip }) => {
    skip(!currentEngine().precisions.includes('mixed'), 'this engine has float32 only');
    const { trainer, weight, inputs } = linear('mixed', adam());
    await trainer.step(inputs());
    const before = Array.from(await weight.data());
    expect(await trainer.step(inputs(1e36))).toMatchObject({ step: 1, lossScale: 65536, skipped: true });
    expect(Array.from(await weight.data())).toEqual(before);
    const state = await trainer.snapshot();
    expect(Object.keys(state.tensors)).toEqual(
      expect.arrayContaining(['lossScale.factor', 'lossScale.finiteSteps', 'lossScale.skippedSteps']),
    );
    const next = await trainer.step(inputs());
    expect(next).toMatchObject({ step: 2, lossScale: 32768, skipped: false });
    const after = Array.from(await weight.data());
    expect(after).not.toEqual(before);
    trainer.restore(state);
    expect(await trainer.step(inputs())).toEqual(next);
    expect(Array.from(await weight.data())).toEqual(after);
    trainer.dispose();
  });

  it('finds a factor at which the gradients of activations lie within float16', async ({ skip }) => {
    skip(!currentEngine().precisions.includes('mixed'), 'this engine has float32 only');
    const updates: Record<string, number[]> = {};
    for (const precision of ['float32', 'mixed'] as const) {
      const [first, second] = [tf.fill([3, 3, 4, 8], 0.5), tf.fill([3, 3, 8, 8], 0.5)].map((value) =>
        tf.variable(value),
      );
      const trainer = new Trainer({
        parameters: { first: first as tf.Variable, second: second as tf.Variable },
        inputs: { x: { shape: [4, 8, 8, 4] } },
        loss: ({ x }) => {
          const inner = tf.conv2d(x as tf.Tensor4D, first as never, 1, 1);
          return { loss: tf.mean(tf.square(tf.conv2d(inner, second as never, 1, 1))) };
        },
        optimizer: sgd(),
        schedule: constantSchedule({ learningRate: 1e-5 }),
        precision,
      });
      const x = tf.fill([4, 8, 8, 4], 0.25);
      const before = Array.from(await (first as tf.Variable).data());
      const step = () => trainer.step({ x });
      if (precision === 'mixed') {
        // a gradient of the inner activation is 72 x 0.5 x the factor x 2 x 162 / 2048: below 65504 from the fourth factor on
        for (const lossScale of [65536, 32768, 16384]) expect(await step()).toMatchObject({ lossScale, skipped: true });
        expect(Array.from(await (first as tf.Variable).data())).toEqual(before);
        expect(await step()).toMatchObject({ lossScale: 8192, skipped: false });
      } else {
        await step();
      }
      updates[precision] = Array.from(await (first as tf.Variable).data(), (value, i) => value - (before[i] as number));
      trainer.dispose();
      tf.dispose([x, first, second] as tf.Tensor[]);
    }
    const { float32, mixed } = updates as Record<'float32' | 'mixed', number[]>;
    await expectClose(mixed, float32, { rtol: 5e-3 });
  });
});
