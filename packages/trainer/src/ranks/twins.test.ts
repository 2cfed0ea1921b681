import * as tf from '@tensorflow/tfjs-core';
import { currentEngine, runsAhead } from '@tfjs-ssl/engine';
import { batchNormTrain, type ExchangedArray, gatherViews, type World } from '@tfjs-ssl/ops';
import { describeEngines } from '@tfjs-ssl/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { collect, messageOf, numbers } from '../../test-support/tiny-run.ts';
import { constantSchedule, sgd, Trainer } from '../index.ts';

/** One of two ranks, of which the other has the same images. */
const twins: World = {
  rank: 0,
  size: 2,
  allReduce: (data) => data.set(data.map((value) => 2 * value) as typeof data),
  broadcast: () => {},
  allGather(part: ExchangedArray, whole: ExchangedArray) {
    whole.set(part);
    whole.set(part, part.length);
  },
  reduceScatter() {
    throw new Error('not needed');
  },
  allToAll() {
    throw new Error('not needed');
  },
};

const inputs = { x: { shape: [4, 6] } } as const;
const inputsOf = (step: number) => ({ x: tf.tensor2d(numbers(24, step), [4, 6]) });

/** A layer with batch norm before it; always the same at its start. */
function trainerOf({
  gathers = false,
  ...options
}: {
  world?: World;
  batchStatistics?: 'rank' | 'batch';
  precision?: 'float32' | 'mixed';
  gathers?: boolean;
}) {
  const [weight, gamma] = [tf.variable(tf.tensor2d(numbers(18, 7), [6, 3])), tf.variable(tf.ones<tf.Rank.R1>([6]))];
  const [mean, variance] = [tf.zeros<tf.Rank.R1>([6]), tf.ones<tf.Rank.R1>([6])].map((start) =>
    tf.variable(start, false),
  ) as [tf.Variable<tf.Rank.R1>, tf.Variable<tf.Rank.R1>];
  return new Trainer({
    parameters: { weight, gamma },
    buffers: { mean, variance },
    inputs,
    loss({ x }) {
      const running = { mean, variance, momentum: 0.1 };
      const { output } = batchNormTrain(x, gamma, tf.zeros([6]), { relu: true, running });
      const rows = tf.matMul(output as tf.Tensor2D, weight);
      const loss = tf.mean(tf.square(gathers ? gatherViews(rows as tf.Tensor2D) : rows));
      return { loss, metrics: { root: tf.sqrt(loss) } };
    },
    optimizer: sgd({ momentum: 0.9 }),
    schedule: constantSchedule({ learningRate: 0.1 }),
    clipNorm: 0.5,
    ...options,
  });
}

const run = (trainer: ReturnType<typeof trainerOf>) =>
  collect(
    trainer.fit({
      epochs: 2,
      stepsPerEpoch: 3,
      imagesPerStep: 4,
      inputs: inputsOf,
      checkTensors: true,
      async *batches({ epoch }) {
        for (let i = 0; i < 3; i++) yield 3 * epoch + i;
      },
    }),
  );

describeEngines('Two ranks with the same images', () => {
  it.for(['float32', 'mixed'] as const)('train as one alone does, in %s', async (precision, { skip }) => {
    skip(!currentEngine().precisions.includes(precision), `this engine has no ${precision} precision`);
    const [alone, one] = [trainerOf({ precision }), trainerOf({ precision, world: twins, batchStatistics: 'rank' })];
    const values = (events: Awaited<ReturnType<typeof run>>) =>
      events.flatMap((event) => (event.type === 'step' ? [event.loss, event.metrics.root] : []));
    const [expected, seen] = [values(await run(alone)), values(await run(one))];
    expect(new Set(expected).size).toBe(12);
    // halves and doubles round nothing
    expect(seen).toEqual(expected);
    expect(await one.snapshot()).toEqual(await alone.snapshot());
  });

  it('skip a step in mixed precision if a gradient of the other rank overflows', async ({ skip }) => {
    skip(!currentEngine().precisions.includes('mixed'), 'this engine has no mixed precision');
    const elements = 24; // of all gradients
    const allReduce: World['allReduce'] = (data) =>
      data.length === elements ? data.fill(Number.POSITIVE_INFINITY) : twins.allReduce(data);
    const trainer = trainerOf({ world: { ...twins, allReduce }, batchStatistics: 'rank', precision: 'mixed' });
    const before = await trainer.parameters.weight?.data();
    const given = inputsOf(0);
    for (const lossScale of [2 ** 16, 2 ** 15, 2 ** 14]) {
      expect(await trainer.step(given)).toMatchObject({ skipped: true, lossScale });
    }
    expect(await trainer.parameters.weight?.data()).toEqual(before);
  });

  describe('on an engine that records steps', () => {
    beforeEach(({ skip }) => skip(!runsAhead(), 'this engine does not'));

    it('cannot share the statistics of a batch', () => {
      expect(() => trainerOf({ world: twins })).toThrowErrorMatchingInlineSnapshot(
        `[RangeError: Trainer: batchStatistics must be 'rank' in a world of 2 ranks on the engine 'webgpu', which records its steps, got 'batch'. Set batchStatistics: 'rank', and leave gatherViews out of the loss; or start 'simd'.]`,
      );
    });

    it('cannot gather rows', async () => {
      const trainer = trainerOf({ world: twins, batchStatistics: 'rank', gathers: true });
      const given = inputsOf(0);
      await expect(trainer.step(given)).rejects.toThrowErrorMatchingInlineSnapshot(
        `[Error: gatherViews: ranks must be able to exchange rows within the step, got the engine 'webgpu', which records it. Leave gatherViews out, so that each rank compares the images of its own part, or start 'simd'.]`,
      );
    });

    it('cannot share what a loss keeps', async () => {
      const allGather: World['allGather'] = (part, whole) => {
        twins.allGather(part, whole);
        // of the 64 bits for each variable, those of the third, a buffer
        if (part instanceof Int32Array && part.length > 4) whole[part.length + 4] = (part[4] as number) + 1;
      };
      const trainer = trainerOf({ world: { ...twins, allGather }, batchStatistics: 'rank' });
      await expect(trainer.step(inputsOf(0))).rejects.toThrowErrorMatchingInlineSnapshot(
        `[Error: Trainer: all ranks must hold the same weights, got others than those of rank 0 on rank 1: model.mean. On this engine ranks share gradients and running statistics alone: train a loss that keeps something, as MoCo's queue, on 'simd'. Resume from the last checkpoint.]`,
      );
    });

    it('finish a step before anything else', async () => {
      const trainer = trainerOf({ world: twins, batchStatistics: 'rank' });
      const given = inputsOf(0);
      const first = trainer.step(given);
      expect(await messageOf(trainer.step(given))).toMatchInlineSnapshot(
        `"Trainer: a step waits for the other ranks. Await its promise before anything else."`,
      );
      expect(await messageOf(trainer.snapshot())).toMatch(/^Trainer: a step waits for the other ranks/);
      expect(() => trainer.restore({ step: 0, tensors: {} })).toThrow(/^Trainer: a step waits for the other ranks/);
      expect((await first).step).toBe(0);
      expect((await trainer.step(given)).step).toBe(1);
    });
  });
});
