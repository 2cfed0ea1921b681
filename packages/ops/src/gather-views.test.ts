import * as tf from '@tensorflow/tfjs-core';
import { describeEngines, expectClose, expectNoLeak } from '@tfjs-ssl/testing';
import { expect, it } from 'vitest';
import { acrossRanks, gatherViews, type RanksInStep, ranksInStep, type World } from './index.ts';

/** A world in which the other rank has twice what this one has. */
const twoRanks = (rank: number): World => {
  const factor = [1, 2].map((own) => own / (rank + 1));
  return {
    rank,
    size: 2,
    allReduce: (data) => data.set(data.map((value) => 3 * factor[0]! * value)),
    broadcast() {},
    allGather(part, whole) {
      for (const [r, times] of factor.entries())
        whole.set(
          part.map((value) => times * value),
          r * part.length,
        );
    },
    reduceScatter(whole, part) {
      const own = whole.subarray(rank * part.length, (rank + 1) * part.length);
      part.set(own.map((value) => 3 * factor[0]! * value));
    },
    allToAll() {},
  };
};
const ranks = (rank: number): RanksInStep => ({
  world: twoRanks(rank),
  batchStatistics: 'batch',
  ownStatistics: new Set(),
});

const reason = 'a step of this engine reads nothing back';

describeEngines('gatherViews', ({ name }) => {
  it('orders rows by view, then rank', async ({ skip }) => {
    skip(name === 'webgpu', reason);
    const rows = tf.tensor2d([[1], [2], [10], [20]]); // two images, two views
    const first = acrossRanks(ranks(0), () => gatherViews(rows));
    await expectClose(first, [1, 2, 2, 4, 10, 20, 20, 40]);
    const second = acrossRanks(ranks(1), () => gatherViews(rows, { views: 1 }));
    await expectClose(second, [0.5, 1, 5, 10, 1, 2, 10, 20]);
  });

  it('gives a row the sum of what all ranks give it', async ({ skip }) => {
    skip(name === 'webgpu', reason);
    const rows = tf.tensor2d([[1], [2], [10], [20]]);
    const weights = tf.tensor2d([[1], [2], [3], [4], [5], [6], [7], [8]]);
    const gradient = (rank: number) =>
      acrossRanks(ranks(rank), () => tf.grad((x) => tf.sum(tf.mul(gatherViews(x as tf.Tensor2D), weights)))(rows));
    await expectClose(gradient(0), [3, 6, 15, 18]); // rows 0, 1, 4, 5; the other rank weighs twice
    await expectClose(gradient(1), [4.5, 6, 10.5, 12]); // rows 2, 3, 6, 7; the other weighs half
  });

  it('changes nothing alone, and gives back all memory', async () => {
    const rows = tf.tensor2d([[1], [2]]);
    await expectClose(gatherViews(rows), [1, 2]);
    await expectClose(tf.grad((x) => tf.sum(tf.square(gatherViews(x as tf.Tensor2D))))(rows), [2, 4]);
    await expectNoLeak(() => gatherViews(rows).dispose());
  });

  it('gives back all memory of ranks', async ({ skip }) => {
    skip(name === 'webgpu', reason);
    const rows = tf.tensor2d([[1], [2]]);
    await expectNoLeak(() =>
      acrossRanks(ranks(0), () => tf.grad((x) => tf.sum(gatherViews(x as tf.Tensor2D)))(rows)).dispose(),
    );
  });

  it('says where ranks cannot exchange rows', () => {
    const apart = { ...ranks(0), exchanges: false };
    const gather = () => acrossRanks(apart, () => gatherViews(tf.ones([4, 2])));
    expect(gather).toThrow(/^gatherViews: ranks must be able to exchange rows within the step, got the engine '\w+'/);
  });

  it('refuses what is not rows of views', () => {
    expect(() => gatherViews(tf.ones([3, 2]))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: gatherViews: rows must have shape [views * n, D] with 2 views, got [3, 2]. Pass the rows of every view of this rank's images.]`,
    );
    expect(() => gatherViews(tf.ones([4, 2, 1]) as unknown as tf.Tensor2D)).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: gatherViews: rows must have shape [views * n, D] with 2 views, got [4, 2, 1]. Pass the rows of every view of this rank's images.]`,
    );
    expect(() => gatherViews(tf.ones([4, 2], 'int32'))).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: gatherViews: rows must be float32, got int32. Cast them first.]`,
    );
  });
});

it('acrossRanks ends with what it runs, and one rank is none', () => {
  const own = ranks(0);
  expect(acrossRanks(own, () => acrossRanks(null, ranksInStep) ?? ranksInStep())).toBe(own);
  expect(() =>
    acrossRanks(own, () => {
      throw new Error('no');
    }),
  ).toThrow('no');
  expect(ranksInStep()).toBeNull();
  expect(acrossRanks({ ...own, world: { ...own.world, size: 1 } }, ranksInStep)).toBeNull();
});
