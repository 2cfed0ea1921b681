import * as tf from '@tensorflow/tfjs-core';
import { describeEngines, expectNoLeak } from '@tfjs-ssl/testing';
import { describe, expect, it } from 'vitest';
import { chooseProbe, linearProbe, probeEvaluate } from './index.ts';

describeEngines('chooseProbe', () => {
  it('takes the penalty that does best on the last rows of each class, and trains on all', async () => {
    // The first column tells the classes apart, on a small scale. The second is large and right four times of five, but never of the rows held out.
    const labels = Int32Array.from({ length: 40 }, (_, i) => i % 2);
    const sign = (label: number) => (label === 1 ? 1 : -1);
    const values = Array.from(labels, (label, i) => {
      const misleads = i >= 36 || i % 5 === 0;
      return [0.05 * sign(label), misleads ? -sign(label) : sign(label)];
    });
    const features = tf.tensor2d(values);
    await expectNoLeak(async () => {
      const options = { features, labels, classes: 2, holdOut: 0.1 };
      const lambdas: number[] = [];
      const onProgress = ({ lambda }: { lambda: number }) => void (lambdas.at(-1) === lambda || lambdas.push(lambda));
      const chosen = await chooseProbe({ ...options, lambdas: [1e-6, 10], onProgress });
      expect(chosen.trials.map(({ lambda }) => lambda)).toEqual([10, 1e-6]);
      // With a large penalty only the second column counts.
      expect(chosen.trials.map(({ top1 }) => top1)).toEqual([0, 1]);
      expect(chosen.lambda).toBe(1e-6);
      expect(lambdas).toEqual([10, 1e-6]);
      const direct = await linearProbe({ features, labels, classes: 2, lambda: 1e-6 });
      expect(chosen.loss).toBe(direct.loss);
      tf.dispose([chosen.weights, chosen.bias, direct.weights, direct.bias]);
    });
    features.dispose();
  });

  it('takes the largest of equal penalties, and features without any information', async () => {
    const labels = Int32Array.from({ length: 30 }, (_, i) => (i % 3 === 0 ? 1 : 0));
    const features = tf.ones<tf.Rank.R2>([30, 4]);
    const chosen = await chooseProbe({ features, labels, classes: 2 });
    expect(chosen.lambda).toBe(1e-2);
    const { top1, top5 } = await probeEvaluate({ probe: chosen, features, labels });
    expect([top1, top5]).toEqual([2 / 3, 1]);
    tf.dispose([features, chosen.weights, chosen.bias]);
  });
});

describe('chooseProbe refuses', () => {
  it('what does not fit', async () => {
    const options = { features: tf.ones<tf.Rank.R2>([4, 2]), labels: [0, 1, 0, 1], classes: 2 };
    const call = (change: object) => () => chooseProbe({ ...options, ...change });
    await expect(call({ lambdas: [] })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: chooseProbe: lambdas.length must be an integer of at least 1, got 0. Leave it out for four of the usual size.]`,
    );
    await expect(call({ lambdas: [1, 0] })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: chooseProbe: lambdas must be a finite number above 0, got 0. Leave it out for four of the usual size.]`,
    );
    await expect(call({ holdOut: 1 })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: chooseProbe: holdOut must be a finite number in (0, 1), got 1. Leave it out for 0.1.]`,
    );
    await expect(call({ labels: [0, 0, 0, 0] })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: linearProbe: labels must hold at least two classes, got class 0 alone. With one class every answer is right: take images of others, too.]`,
    );
    await expect(call({ features: tf.fill([4, 2], Number.NaN) })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: chooseProbe: features must be finite, got NaN or infinity in row 0. The encoder has diverged, or its input was not finite.]`,
    );
    const alone = { features: tf.ones([2, 2]), labels: [0, 1] };
    await expect(call(alone)).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: chooseProbe: labels must hold two rows of a class, of which one is held out, got 1. Pass more images.]`,
    );
  });
});
