import * as tf from '@tensorflow/tfjs-core';
import { describeEngines, expectClose, expectNoLeak } from '@tfjs-ssl/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { knnAccuracy, knnClassify, knnEvaluate } from './index.ts';

/** The rule in double precision, by sorting. */
function reference(
  bank: number[][],
  labels: number[],
  query: number[],
  k: number,
  temperature: number,
  classes: number,
) {
  const unit = (row: number[]) => row.map((value) => value / Math.max(Math.hypot(...row), 1e-12));
  const u = unit(query);
  const cosines = bank.map((row, place) => ({
    place,
    cosine: unit(row).reduce((sum, value, d) => sum + value * (u[d] as number), 0),
  }));
  cosines.sort((a, b) => b.cosine - a.cosine || a.place - b.place);
  const scores = new Array<number>(classes).fill(0);
  for (const { cosine, place } of cosines.slice(0, k))
    scores[labels[place] as number]! += Math.exp(cosine / temperature);
  return scores;
}

const row = fc.array(fc.integer({ min: -100, max: 100 }), { minLength: 5, maxLength: 5 });

describeEngines('knnClassify', () => {
  it('equals a case worked by hand', async () => {
    const bank = tf.tensor2d([
      [1, 0],
      [0, 2],
      [3, 3],
    ]);
    const queries = tf.tensor2d([
      [4, 0],
      [1, 3],
    ]);
    const options = { bank, bankLabels: [0, 1, 1], queries, k: 2, temperature: 0.5, classes: 3 };
    const { predictions, scores } = await knnClassify(options);
    const half = Math.SQRT1_2;
    await expectClose(
      scores,
      [
        ...[Math.exp(2), Math.exp(half / 0.5), 0],
        ...[0, Math.exp(3 / Math.sqrt(10) / 0.5) + Math.exp((4 * half) / Math.sqrt(10) / 0.5), 0],
      ],
      { rtol: 1e-5 },
    );
    expect([...predictions]).toEqual([0, 1]);
    expect(await knnAccuracy({ ...options, queryLabels: [0, 2] })).toBe(0.5);
    tf.dispose([bank, queries]);
  });

  it('gives the same for rows whose squares are beyond float32', async () => {
    const bank = tf.tensor2d([
      [3e20, 0],
      [2e-3, 2e-3],
      [0, 1e25],
    ]);
    const queries = tf.tensor2d([
      [1e30, 1e29],
      [1e21, 9e21],
    ]);
    const { predictions } = await knnClassify({ bank, bankLabels: [0, 1, 2], queries, k: 1, classes: 3 });
    expect([...predictions]).toEqual([0, 2]);
    tf.dispose([bank, queries]);
  });

  it('equals the rule in double precision', async () => {
    const rows = fc.array(row, { minLength: 4, maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(rows, rows, fc.integer({ min: 1, max: 4 }), async (bankRows, queryRows, k) => {
        const bankLabels = bankRows.map((_, i) => (i * 7) % 3);
        const [bank, queries] = [tf.tensor2d(bankRows), tf.tensor2d(queryRows)];
        const { scores } = await knnClassify({ bank, bankLabels, queries, k, temperature: 0.2, classes: 3 });
        tf.dispose([bank, queries]);
        // The sum over classes does not depend on which of two equal neighbours is taken.
        const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);
        for (const [i, query] of queryRows.entries()) {
          const expected = reference(bankRows, bankLabels, query, k, 0.2, 3);
          await expectClose([sum([...scores.slice(3 * i, 3 * i + 3)])], [sum(expected)], { rtol: 1e-5 });
        }
      }),
      { numRuns: 15 },
    );
  });

  it('gives the same for banks and queries that take several blocks', async () => {
    const bank = tf.randomNormal<tf.Rank.R2>([5000, 3], 0, 1, 'float32', 1);
    const queries = tf.randomNormal<tf.Rank.R2>([1030, 3], 0, 1, 'float32', 2);
    const bankLabels = Int32Array.from({ length: 5000 }, (_, i) => (i * 31) % 7);
    const { predictions, scores } = await knnClassify({ bank, bankLabels, queries, k: 9, classes: 7 });
    const [bankRows, queryRows] = [await bank.array(), await queries.array()];
    for (const i of [0, 511, 1023, 1024, 1029]) {
      const expected = reference(bankRows, [...bankLabels], queryRows[i] as number[], 9, 0.1, 7);
      await expectClose(scores.slice(7 * i, 7 * i + 7), expected, { rtol: 1e-4, atol: 1e-3 });
      expect(predictions[i]).toBe(expected.indexOf(Math.max(...expected)));
    }
    tf.dispose([bank, queries]);
  });

  it('breaks ties by the order of the bank, then of the classes', async () => {
    const bank = tf.ones<tf.Rank.R2>([5000, 2]);
    const queries = tf.ones<tf.Rank.R2>([1, 2]);
    const bankLabels = Int32Array.from({ length: 5000 }, (_, i) => (i < 3 ? 2 : i < 6 ? 1 : 0));
    const of = async (k: number) => (await knnClassify({ bank, bankLabels, queries, k, classes: 3 })).predictions[0];
    expect([await of(1), await of(5), await of(6)]).toEqual([2, 2, 1]);
    tf.dispose([bank, queries]);
  });

  it('does not depend on the lengths of the rows, and takes zero rows', async () => {
    const bank = tf.tensor2d([
      [1, 0],
      [0, 1e-6],
      [0, 0],
    ]);
    const queries = tf.tensor2d([
      [1e5, 1],
      [0, 1e-7],
    ]);
    const { predictions } = await knnClassify({ bank, bankLabels: [0, 1, 2], queries, k: 1, classes: 3 });
    expect([...predictions]).toEqual([0, 1]);
    tf.dispose([bank, queries]);
  });

  it('decides where a small temperature makes every vote infinite', async () => {
    const bank = tf.tensor2d([
      [1, 0],
      [1, 0.1],
      [1, 0.2],
    ]);
    const queries = tf.tensor2d([[1, 0.2]]);
    const options = { bank, bankLabels: [0, 0, 1], queries, k: 3, temperature: 1e-4, classes: 3 };
    const { predictions, scores } = await knnClassify(options);
    expect([...predictions]).toEqual([1]);
    expect([...scores]).toEqual([Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, 0]);
    tf.dispose([bank, queries]);
  });

  it('leaves no tensors behind', async () => {
    const bank = tf.randomNormal<tf.Rank.R2>([40, 3]);
    const bankLabels = Int32Array.from({ length: 40 }, (_, i) => i % 2);
    await expectNoLeak(async () => {
      await knnClassify({ bank, bankLabels, queries: bank, k: 3, classes: 2 });
    });
    bank.dispose();
  });
});

describeEngines('knnEvaluate', () => {
  it('equals a case worked by hand', async () => {
    // Neighbours of the query by cosine: classes 0, 1, 2, ... 7, with the second vote for class 6 on top of its first at k = 9.
    const angles = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];
    const bank = tf.tensor2d(angles.map((angle) => [2 * Math.cos(angle), 2 * Math.sin(angle)]));
    const bankLabels = [0, 1, 2, 3, 4, 5, 6, 7, 6];
    const queries = tf.tensor2d([0, 0, 0, 0].flatMap(() => [[1, 0]]));
    const queryLabels = [0, 4, 5, 6];
    const options = { bank, bankLabels, queries, queryLabels, classes: 9, temperature: 10 };
    // k = 1 names class 0 alone; k = 7 names 0 to 6 in order; at k = 9 class 6 has two votes and comes first.
    const results = await knnEvaluate({ ...options, ks: [7, 1, 9] });
    expect(results.map(({ k, top1, top5 }) => [k, top1, top5])).toEqual([
      [7, 0.25, 0.5],
      [1, 0.25, 0.25],
      [9, 0.25, 0.5],
    ]);
    expect(results.map(({ predictions }) => [...predictions])).toEqual([
      [0, 0, 0, 0],
      [0, 0, 0, 0],
      [6, 6, 6, 6],
    ]);
    expect((await knnEvaluate(options)).map(({ k }) => k)).toEqual([9]);
    tf.dispose([bank, queries]);
  });

  it('gives for each k what knnClassify gives, leaves no tensors and reports progress', async () => {
    const bank = tf.randomNormal<tf.Rank.R2>([300, 4], 0, 1, 'float32', 1);
    const queries = tf.randomNormal<tf.Rank.R2>([1030, 4], 0, 1, 'float32', 2);
    const bankLabels = Int32Array.from({ length: 300 }, (_, i) => (i * 31) % 7);
    const queryLabels = Int32Array.from({ length: 1030 }, (_, i) => (i * 17) % 7);
    const options = { bank, bankLabels, queries, classes: 7 };
    const done: number[] = [];
    await expectNoLeak(async () => {
      const onProgress = (progress: { done: number }) => void done.push(progress.done);
      const results = await knnEvaluate({ ...options, queryLabels, onProgress });
      expect(results.map(({ k }) => k)).toEqual([20, 200]);
      for (const { k, top1, predictions } of results) {
        expect(predictions).toEqual((await knnClassify({ ...options, k })).predictions);
        expect(top1).toBe(await knnAccuracy({ ...options, queryLabels, k }));
      }
    });
    expect(done).toEqual([1024, 1030]);
    tf.dispose([bank, queries]);
  });

  it('refuses what does not fit', async () => {
    const bank = tf.ones<tf.Rank.R2>([3, 2]);
    const options = { bank, bankLabels: [0, 1, 0], queries: bank, queryLabels: [0, 1, 1], classes: 2 };
    const call = (change: object) => () => knnEvaluate({ ...options, ...change });
    await expect(call({ ks: [] })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: knnEvaluate: ks.length must be an integer of at least 1, got 0. Leave it out for 20 and 200.]`,
    );
    await expect(call({ ks: [1, 4] })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: knnEvaluate: ks[1] must be an integer in [1, 3], got 4. It is a number of rows of the bank.]`,
    );
    await expect(call({ bankLabels: [1, 1, 1] })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: knnEvaluate: bankLabels must hold at least two classes, got class 1 alone. With one class every answer is right: take images of others, too.]`,
    );
    await expect(call({ queryLabels: [1] })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: knnEvaluate: queryLabels must hold one label per row of features, 3, got 1. Pass both of the same images.]`,
    );
    await expect(call({ queries: tf.fill([3, 2], Number.NaN) })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: knnEvaluate: queries must be finite, got NaN or infinity in row 0. The encoder has diverged, or its input was not finite.]`,
    );
    bank.dispose();
  });
});

describe('knnClassify refuses', () => {
  const bank = () => tf.ones<tf.Rank.R2>([3, 2]);
  const options = { bankLabels: [0, 1, 0], k: 1, classes: 2 };

  it('what does not fit', async () => {
    const call = (change: object) => () => knnClassify({ bank: bank(), queries: bank(), ...options, ...change });
    await expect(call({ bank: tf.ones([3]) })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: knnClassify: bank must be float32 of shape [rows, columns], got float32 of shape [3]. Pass one row of features per image.]`,
    );
    await expect(call({ queries: tf.ones([3, 4]) })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: knnClassify: queries must have as many columns as bank, 2, got 4. Use one encoder for both.]`,
    );
    await expect(call({ bankLabels: [0] })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: knnClassify: bankLabels must hold one label per row of features, 3, got 1. Pass both of the same images.]`,
    );
    await expect(call({ bankLabels: [0, 1, 2] })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: knnClassify: bankLabels must be integers in [0, 2), got 2 in row 2. Number the classes from 0 and set \`classes\`.]`,
    );
    await expect(call({ bankLabels: [0, 0, 0], classes: 1 })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: knnClassify: classes must be an integer of at least 2, got 1. With one class every answer is right.]`,
    );
    await expect(call({ bankLabels: [1, 1, 1] })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: knnClassify: bankLabels must hold at least two classes, got class 1 alone. With one class every answer is right: take images of others, too.]`,
    );
    await expect(call({ k: 4 })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: knnClassify: k must be an integer in [1, 3], got 4. It is a number of rows of the bank.]`,
    );
    await expect(call({ temperature: 0 })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: knnClassify: temperature must be a finite number above 0, got 0. Leave it out for 0.1.]`,
    );
    await expect(
      call({
        queries: tf.tensor2d([
          [1, 2],
          [Number.NaN, 1],
        ]),
      }),
    ).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: knnClassify: queries must be finite, got NaN or infinity in row 1. The encoder has diverged, or its input was not finite.]`,
    );
    await expect(call({ bank: tf.fill([3, 2], Number.POSITIVE_INFINITY) })).rejects.toThrow(RangeError);
    await expect(
      knnAccuracy({ bank: bank(), queries: bank(), ...options, queryLabels: [0, 1] }),
    ).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: knnAccuracy: queryLabels must hold one label per row of features, 3, got 2. Pass both of the same images.]`,
    );
  });
});
