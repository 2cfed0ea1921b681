import * as tf from '@tensorflow/tfjs-core';
import { describeEngines, expectClose, expectNoLeak, numberOf } from '@tfjs-ssl/testing';
import { describe, expect, it } from 'vitest';
import { contrastiveAccuracy, contrastiveLogits, contrastiveRanks, ntXent, ntXentWithRanks } from './index.ts';

describeEngines('ntXentWithRanks', () => {
  it('returns the loss of ntXent and the ranks of contrastiveLogits', async () => {
    const z = tf.randomNormal<tf.Rank.R2>([12, 7], 0, 1, 'float32', 3);
    await expectNoLeak(async () => {
      const { loss, ranks } = ntXentWithRanks(z, { temperature: 0.2 });
      const alone = ntXent(z, { temperature: 0.2 });
      const logits = contrastiveLogits(z, { temperature: 0.2 });
      const same = contrastiveRanks(logits);
      expect(Array.from(await loss.data())).toEqual(Array.from(await alone.data()));
      expect(Array.from(await ranks.data())).toEqual(Array.from(await same.data()));
      expect(loss.shape).toEqual([]);
      expect(ranks.shape).toEqual([12]);
      tf.dispose([loss, ranks, alone, logits, same]);
    });
  });

  it('has the gradient of an ordinary composition of tfjs ops', async () => {
    const z = tf.randomNormal<tf.Rank.R2>([10, 4], 0, 1, 'float32', 5);
    const composed = (x: tf.Tensor) => {
      const u = tf.div(x, tf.sqrt(tf.sum(tf.square(x), 1, true)));
      const logits = tf.sub(
        tf.div(tf.matMul(u as tf.Tensor2D, u as tf.Tensor2D, false, true), 0.3),
        tf.mul(tf.eye(10), 1e9),
      );
      const partner = tf.concat([tf.slice(u, [5, 0]), tf.slice(u, [0, 0], [5, 4])]);
      return tf.mean(tf.sub(tf.logSumExp(logits, 1), tf.div(tf.sum(tf.mul(u, partner), 1), 0.3))) as tf.Scalar;
    };
    const expected = tf.valueAndGrad(composed)(z);
    const got = tf.valueAndGrad((x: tf.Tensor) => ntXentWithRanks(x as tf.Tensor2D, { temperature: 0.3 }).loss)(z);
    await expectClose(got.value, expected.value, { rtol: 1e-6 });
    await expectClose(got.grad, expected.grad, { atol: 1e-6 });
  });

  it('lets other losses be built on its logits', async () => {
    const z = tf.tensor2d([
      [1, 2],
      [3, -1],
      [0.5, 1],
      [2, 2],
    ]);
    const weights = tf.randomNormal([4, 4], 0, 1, 'float32', 1);
    const f = (x: tf.Tensor) => {
      const logits = contrastiveLogits(x as tf.Tensor2D, { temperature: 1 });
      return tf.sum(tf.mul(tf.mul(logits, weights), tf.sub(1, tf.eye(4)))) as tf.Scalar;
    };
    const gradient = await tf.grad(f)(z).data();
    const at = async (index: number, shift: number) => {
      const data = (await z.data()).slice();
      data[index] = (data[index] as number) + shift;
      return (await f(tf.tensor2d(data, [4, 2])).data())[0] as number;
    };
    const differences: number[] = [];
    for (const i of gradient.keys()) differences.push(((await at(i, 1e-2)) - (await at(i, -1e-2))) / 2e-2);
    await expectClose(gradient, differences, { atol: 2e-3 });
  });
});

describeEngines('contrastiveLogits', () => {
  it('equals a case worked by hand', async () => {
    const z = tf.tensor2d([
      [3, 4],
      [0, 2],
      [4, 3],
      [-1, 0],
    ]);
    const logits = contrastiveLogits(z, { temperature: 0.5 });
    const m = -1e9;
    await expectClose(logits, [m, 1.6, 1.92, -1.2, 1.6, m, 1.2, 0, 1.92, 1.2, m, -1.6, -1.2, 0, -1.6, m], {
      atol: 1e-6,
    });
  });
});

describeEngines('contrastiveAccuracy', () => {
  const m = -1e9;
  // Two images, two views; the positives are in columns 2, 3, 0, 1.
  const table = [
    [m, 5, 4, 1],
    [2, m, 3, 9],
    [4, 4, m, 4],
    [7, 1, 8, m],
  ];
  const accuracy = (rows: number[][], k: number) =>
    numberOf(() => contrastiveAccuracy(contrastiveRanks(tf.tensor2d(rows)), k));

  it('counts the negatives above the positive; ties are for the positive', async () => {
    expect(await accuracy(table, 1)).toBe(0.5); // rows 1 and 2: no negative is larger
    expect(await accuracy(table, 2)).toBe(0.75); // and row 0, with one
    expect(await accuracy(table, 3)).toBe(1); // and row 3, with two
    expect(await accuracy(table, 100)).toBe(1);
  });

  it('takes a row of NaN for wrong, whatever k is', async () => {
    const rows = [
      [m, Number.NaN],
      [Number.NaN, m],
    ];
    expect(await accuracy(rows, 1)).toBe(0);
    expect(await accuracy(rows, 100)).toBe(0);
  });

  it('leaves no tensors behind', async () => {
    const logits = tf.tensor2d(table);
    await expectNoLeak(() => {
      const ranks = contrastiveRanks(logits);
      tf.dispose([ranks, contrastiveAccuracy(ranks, 1)]);
    });
    logits.dispose();
  });
});

describe('refused arguments', () => {
  it('are named with the function they were given to', () => {
    expect(() =>
      tf.tidy(() => ntXentWithRanks(tf.zeros([3, 2]), { temperature: 1 }).loss),
    ).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: ntXentWithRanks: projections must have an even number of rows, two views per image, got shape [3, 2]. Concatenate both views first.]`,
    );
    expect(() =>
      tf.tidy(() => contrastiveLogits(tf.zeros([2, 2]), { temperature: -1 })),
    ).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: contrastiveLogits: temperature must be a finite number above 0, got -1. Usual values lie between 0.05 and 1.]`,
    );
    for (const shape of [
      [4, 3],
      [3, 3],
    ] as [number, number][]) {
      expect(() => tf.tidy(() => contrastiveRanks(tf.zeros(shape)))).toThrow(
        `contrastiveRanks: logits must be square with an even number of rows, got shape [${shape.join(', ')}].`,
      );
    }
    expect(() => tf.tidy(() => contrastiveAccuracy(tf.zeros([3]), 1))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: contrastiveAccuracy: ranks must have shape [2N], got [3]. Pass the ranks that ntXentWithRanks or contrastiveRanks returns.]`,
    );
    expect(() => tf.tidy(() => contrastiveAccuracy(tf.zeros([4]), 0))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: contrastiveAccuracy: k must be an integer of at least 1, got 0. Usual values are 1 and 5.]`,
    );
    expect(() => tf.tidy(() => contrastiveAccuracy(tf.zeros([4]), 1.5))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: contrastiveAccuracy: k must be an integer of at least 1, got 1.5. Usual values are 1 and 5.]`,
    );
  });
});
