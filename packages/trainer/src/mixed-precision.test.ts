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
    schedule: constantSchedule(0.05),
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
      /^compile: precision must be one that the engine has, 'float32' on '.*' \(.*\), got 'mixed'\. Choose another engine or device, or leave precision out\.$/s,
    );
    expect(tf.memory().numTensors).toBe(numTensors + 1); // the weight alone
  });

  it.each([
    ['sgd', () => sgd({ momentum: 0.9 }), undefined],
    ['adam', () => adam(), undefined],
    ['clipped sgd', () => sgd(), 0.1],
  ] as const)('follows float32 with %s', async (_name, optimizer, clipNorm) => {
    const { precisions } = currentEngine();
    const losses: Record<string, number[]> = {};
    for (const precision of precisions) {
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
    for (const precision of precisions) {
      losses[precision]?.forEach((loss, i) => {
        expect(Math.abs(loss / (losses.float32?.[i] as number) - 1)).toBeLessThan(0.02);
      });
    }
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
});
