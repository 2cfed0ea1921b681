import * as tf from '@tensorflow/tfjs-core';
import { describeEngines, expectClose, valuesOf } from '@tfjs-ssl/testing';
import { describe, expect, it } from 'vitest';
import { blocks, comparedRows, oneOf } from './compared-rows.ts';

const itself = (row: number) => row;

describe('blocks', () => {
  it('cover all rows once, are one where there are few rows, and have 64 rows where there are very many', () => {
    expect(blocks(512)).toEqual([[0, 512]]);
    expect(blocks(1025).map(([, count]) => count)).toEqual([1023, 2]);
    const many = blocks(100_000);
    expect(many[0]).toEqual([0, 64]);
    expect(many.reduce((end, [first, count]) => (first === end ? first + count : Number.NaN), 0)).toBe(100_000);
  });
});

describeEngines('comparedRows', () => {
  // 1025 rows make two blocks, 512 one.
  it.each([512, 1025])('equals logSumExp and its gradient for %i rows', async (rows) => {
    const unit = tf.randomUniform<tf.Rank.R2>([rows, 4], -1, 1, 'float32', 3);
    const dy = tf.randomUniform<tf.Rank.R1>([rows], -1, 1, 'float32', 4);
    const partner = (row: number) => (row + 1) % rows;
    const inBlocks = (u: tf.Tensor2D) =>
      comparedRows(u, 0.5, [], (first, count) => ({
        compared: tf.sub(1, oneOf(first, count, rows, itself)),
        positives: tf.mul(oneOf(first, count, rows, partner), 0.7),
      }));
    const plain = (u: tf.Tensor2D) => {
      const logits = tf.mul(tf.matMul(u, u, false, true), 2);
      const masked = tf.sub(logits, tf.mul(oneOf(0, rows, rows, itself), 1e9));
      return tf.sub(tf.logSumExp(masked, 1), tf.mul(tf.sum(tf.mul(logits, oneOf(0, rows, rows, partner)), 1), 0.7));
    };
    await expectClose(await valuesOf(() => inBlocks(unit)), await valuesOf(() => plain(unit)), { atol: 1e-5 });
    const gradient = (loss: (u: tf.Tensor2D) => tf.Tensor) => () =>
      tf.grad((u) => tf.sum(tf.mul(loss(u as tf.Tensor2D), dy)))(unit);
    await expectClose(await valuesOf(gradient(inBlocks)), await valuesOf(gradient(plain)), { atol: 1e-4, rtol: 1e-5 });
  });

  it('takes no more memory for twice the rows, as long as blocks have more than 64', async () => {
    const peak = async (rows: number) => {
      const unit = tf.ones<tf.Rank.R2>([rows, 2]);
      const loss = (u: tf.Tensor) =>
        comparedRows(u as tf.Tensor2D, 0.5, [], (first, count) => ({
          compared: tf.sub(1, oneOf(first, count, rows, itself)),
          positives: tf.zeros([count, rows]),
        }));
      return (await tf.profile(() => tf.tidy(() => tf.grad(loss)(unit)))).peakBytes - tf.memory().numBytes;
    };
    expect((await peak(2048)) / (await peak(1024))).toBeLessThan(1.1);
  });

  it('is not disturbed by similarities of rows that are not compared, however large', async () => {
    const unit = tf.tensor2d([
      [100, 0],
      [100, 0],
      [0.1, 1],
    ]); // the first two are far more alike than a float32 exponential goes
    const losses = comparedRows(unit, 1, [], (first, count) => ({
      compared: oneOf(first, count, 3, () => 2),
      positives: tf.zeros([count, 3]),
    }));
    await expectClose(losses, [10, 10, 1.01], { rtol: 1e-6 });
  });
});
