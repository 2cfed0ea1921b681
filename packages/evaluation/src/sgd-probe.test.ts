import * as tf from '@tensorflow/tfjs-core';
import { describeEngines, expectNoLeak } from '@tfjs-ssl/testing';
import { describe, expect, it } from 'vitest';
import { probeAccuracy, type SgdProbeOptions, sgdProbe } from './index.ts';

const labels = Int32Array.from({ length: 12 }, (_, i) => i % 3);
const rows = Array.from(labels, (label, i) => [label - 1 + 0.1 * i, (label === 1 ? 2 : 0) - 0.05 * i]);

/** The same in double precision, with all rows in one step. */
function reference(epochs: number, learningRate: number, momentum: number, nesterov: boolean) {
  const weights = [0, 1, 2].map(() => [0, 0, 0]); // the last one is the bias
  const velocity = [0, 1, 2].map(() => [0, 0, 0]);
  let loss = 0;
  for (let epoch = 0; epoch < epochs; epoch++) {
    const rate = (learningRate / 2) * (1 + Math.cos((Math.PI * epoch) / epochs));
    const gradient = [0, 1, 2].map(() => [0, 0, 0]);
    loss = 0;
    for (const [i, row] of rows.entries()) {
      const x = [...row, 1];
      const logits = weights.map((own) => own.reduce((sum, weight, j) => sum + weight * x[j]!, 0));
      const total = logits.reduce((sum, logit) => sum + Math.exp(logit), 0);
      loss -= Math.log(Math.exp(logits[labels[i]!]!) / total) / rows.length;
      for (const [label, own] of gradient.entries()) {
        const residual = Math.exp(logits[label]!) / total - (label === labels[i] ? 1 : 0);
        for (let j = 0; j < 3; j++) own[j]! += (residual * x[j]!) / rows.length;
      }
    }
    for (const [label, own] of weights.entries()) {
      for (let j = 0; j < 3; j++) {
        const [g, v] = [gradient[label]![j]!, momentum * velocity[label]![j]! + gradient[label]![j]!];
        velocity[label]![j] = v;
        own[j]! -= rate * (nesterov ? g + momentum * v : v);
      }
    }
  }
  return { weights: weights.map(([a, b]) => [a, b]), bias: weights.map(([, , c]) => c), loss };
}

describeEngines('sgdProbe', () => {
  it.each([
    [0, false],
    [0.9, false],
    [0.9, true],
  ])('is SGD of PyTorch with momentum %d, Nesterov %s, and a cosine', async (momentum, nesterov) => {
    const features = tf.tensor2d(rows);
    const options = { features, labels, classes: 3, epochs: 20, learningRate: 0.5, momentum, nesterov };
    await expectNoLeak(async () => {
      const probe = await sgdProbe(options);
      const expected = reference(20, 0.5, momentum, nesterov);
      const weights = await probe.weights.data();
      for (const [i, value] of expected.weights.flat().entries()) expect(weights[i]).toBeCloseTo(value!, 4);
      const bias = await probe.bias.data();
      for (const [i, value] of expected.bias.entries()) expect(bias[i]).toBeCloseTo(value!, 4);
      expect(probe.loss).toBeCloseTo(expected.loss, 5);
      tf.dispose([probe.weights, probe.bias]);
    });
    features.dispose();
  });

  it('visits every row of an epoch once, also those of a last step that is not full, in the order of its seed', async () => {
    // a class per row and only a bias: with a small rate, each row pushes the bias of its own class alone
    const [features, five] = [tf.zeros<tf.Rank.R2>([5, 1]), [0, 1, 2, 3, 4]];
    const rate = 1e-3;
    const train = async (seed: number) => {
      const options = { features, labels: five, classes: 5, epochs: 1, batchSize: 2, momentum: 0, nesterov: false };
      const probe = await sgdProbe({ ...options, learningRate: rate, seed });
      const bias = [...(await probe.bias.data())];
      tf.dispose([probe.weights, probe.bias]);
      return bias;
    };
    const [first, again, other] = [await train(1), await train(1), await train(2)];
    expect(again).toEqual(first);
    expect(other).not.toEqual(first);
    // steps of 2, 2 and 1 rows at 1, 3/4 and 1/4 of the rate, less the fifth that every class loses in each of them
    const pushes = [1 / 2, 1 / 2, 3 / 8, 3 / 8, 1 / 4].map((push) => push - (1 + 3 / 4 + 1 / 4) / 5);
    for (const bias of [first, other]) {
      const sorted = bias.toSorted((a, b) => b - a);
      for (const [i, push] of pushes.entries()) expect(sorted[i]! / rate).toBeCloseTo(push, 2);
    }
    features.dispose();
  });

  it('tells classes apart, and says how it goes on', async () => {
    const features = tf.tensor2d(rows);
    const losses: number[] = [];
    const onProgress = ({ epoch, loss }: { epoch: number; loss: number }) => {
      expect(epoch).toBe(losses.length);
      losses.push(loss);
    };
    const probe = await sgdProbe({ features, labels, classes: 3, batchSize: 4, learningRate: 0.5, onProgress });
    expect(losses).toHaveLength(90);
    expect(probe.loss).toBe(losses.at(-1));
    expect(losses[89]).toBeLessThan(losses[0]! / 2);
    expect(await probeAccuracy({ probe, features, labels })).toBeGreaterThan(0.9);
    tf.dispose([features, probe.weights, probe.bias]);
  });
});

describe('sgdProbe refuses', () => {
  const refused = async (change: Partial<SgdProbeOptions>) => {
    const options = { features: tf.tensor2d(rows), labels, classes: 3 };
    return sgdProbe({ ...options, ...change }).catch((error: Error) => `${error.name}: ${error.message}`);
  };

  it('what does not fit', async () => {
    expect(await refused({ epochs: 0 })).toMatchInlineSnapshot(
      `"RangeError: sgdProbe: epochs must be an integer of at least 1, got 0. Leave it out for 90."`,
    );
    expect(await refused({ batchSize: 1.5 })).toMatchInlineSnapshot(
      `"RangeError: sgdProbe: batchSize must be an integer of at least 1, got 1.5. Leave it out for 256."`,
    );
    expect(await refused({ learningRate: 0 })).toMatchInlineSnapshot(
      `"RangeError: sgdProbe: learningRate must be a finite number above 0, got 0. Leave it out for 0.1 batchSize / 256."`,
    );
    expect(await refused({ momentum: 1 })).toMatchInlineSnapshot(
      `"RangeError: sgdProbe: momentum must be a finite number in [0, 1), got 1. Leave it out for 0.9."`,
    );
    expect(await refused({ labels: [0, 1] })).toMatchInlineSnapshot(
      `"RangeError: sgdProbe: labels must hold one label per row of features, 12, got 2. Pass both of the same images."`,
    );
    expect(await refused({ features: tf.fill([12, 2], Number.NaN) })).toMatchInlineSnapshot(
      `"RangeError: sgdProbe: features must be finite, got NaN or infinity in row 0. The encoder has diverged, or its input was not finite."`,
    );
  });

  it('to go on without finite numbers', async () => {
    expect(await refused({ features: tf.fill([12, 2], 1e30), learningRate: 1e30 })).toMatchInlineSnapshot(
      `"Error: sgdProbe: the loss of epoch 1 is NaN: the learning rate (1e+30) is too high for features of this scale. Lower it, or use linearProbe."`,
    );
  });
});
