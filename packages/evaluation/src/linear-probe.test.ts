import * as tf from '@tensorflow/tfjs-core';
import { describeEngines, expectClose, expectNoLeak } from '@tfjs-ssl/testing';
import { describe, expect, it } from 'vitest';
import { linearProbe, probeAccuracy } from './index.ts';

/** Overlapping clusters, one around each class's own point. */
function clusters(rows: number, columns: number, classes: number, scale = 1, shift = 0) {
  return tf.tidy(() => {
    const labels = Int32Array.from({ length: rows }, (_, i) => i % classes);
    const centers = tf.randomNormal<tf.Rank.R2>([classes, columns], 0, 1, 'float32', 1);
    const noise = tf.randomNormal([rows, columns], 0, 1, 'float32', 2);
    const features = tf.add(tf.mul(tf.add(tf.gather(centers, tf.tensor1d(labels, 'int32')), noise), scale), shift);
    return { features: features as tf.Tensor2D, labels };
  });
}

describeEngines('linearProbe', () => {
  it('equals a case with a closed form', async () => {
    // One feature, x = +1 for class 1 and -1 for class 0: W = (-w, w), b = 0, and the derivative of
    // log(1 + exp(-2 w)) + lambda w^2 vanishes.
    const features = tf.tensor2d([[1], [-1]]);
    const lambda = 0.1;
    const { weights, bias, loss, converged } = await linearProbe({ features, labels: [1, 0], classes: 2, lambda });
    const w = (await weights.data())[1] as number;
    expect(converged).toBe(true);
    expect((await weights.data())[0]).toBeCloseTo(-w, 5);
    expect(-2 / (1 + Math.exp(2 * w)) + 2 * lambda * w).toBeCloseTo(0, 4);
    expect(loss).toBeCloseTo(Math.log1p(Math.exp(-2 * w)) + lambda * w * w, 6);
    await expectClose(bias, [0, 0], { atol: 1e-5 });
    tf.dispose([features, weights, bias]);
  });

  it('has no gradient where it stops, in plain tfjs ops', async () => {
    const { features, labels } = clusters(60, 4, 3);
    const probe = await linearProbe({ features, labels, classes: 3, lambda: 0.01 });
    const objective = (w: tf.Tensor, b: tf.Tensor) => {
      const logits = tf.add(tf.matMul(features, w as tf.Tensor2D, false, true), b);
      const targets = tf.oneHot(tf.tensor1d(labels, 'int32'), 3);
      const losses = tf.sub(tf.logSumExp(logits, 1), tf.sum(tf.mul(logits, targets), 1));
      return tf.add(tf.mean(losses), tf.mul(tf.sum(tf.square(w)), 0.01 / 2)) as tf.Scalar;
    };
    const gradients = tf.grads(objective)([probe.weights, probe.bias]);
    for (const gradient of gradients) await expectClose(gradient, new Float32Array(gradient.size), { atol: 2e-5 });
    await expectClose(objective(probe.weights, probe.bias), [probe.loss], { rtol: 1e-6 });
    expect((await tf.mean(probe.bias).data())[0]).toBeCloseTo(0, 6);
    const same = await probeAccuracy({ probe, features, labels });
    expect(same).toBeGreaterThan(0.6);
    tf.dispose([features, probe.weights, probe.bias]);
  });

  it('reaches the optimum on columns of very different scale and level, and constant ones', async () => {
    const { features, labels } = clusters(60, 4, 3);
    const [scales, shift] = [tf.tensor1d([1e-2, 1, 30, 1]), tf.tensor1d([0, 50, 100, 5])];
    const uneven = tf.tidy(() =>
      tf.concat([tf.add(tf.mul(features, scales), shift), tf.fill([60, 1], 7)], 1),
    ) as tf.Tensor2D;
    const probe = await linearProbe({ features: uneven, labels, classes: 3, lambda: 1e-3 });
    expect(probe.converged).toBe(true);
    expect(probe.iterations).toBeLessThan(60);
    // The constant column's weight is 0 at the optimum; the tolerance on its gradient lets it be off by 1e-5 / sqrt(lambda).
    await expectClose(tf.slice(probe.weights, [0, 4], [3, 1]), [0, 0, 0], { atol: 3.2e-4 });
    tf.dispose([features, scales, shift, uneven, probe.weights, probe.bias]);
  });

  it('gives the same for rows that take several blocks', async () => {
    const small = clusters(300, 3, 3);
    const once = await linearProbe({ ...small, classes: 3, lambda: 0.01 });
    const features = tf.tile(small.features, [30, 1]);
    const labels = Int32Array.from({ length: 9000 }, (_, i) => small.labels[i % 300] as number);
    const many = await linearProbe({ features, labels, classes: 3, lambda: 0.01 });
    await expectClose(many.weights, once.weights, { atol: 1e-3 });
    expect(many.loss).toBeCloseTo(once.loss, 6);
    const accuracy = await probeAccuracy({ probe: many, features, labels });
    expect(accuracy).toBeCloseTo(await probeAccuracy({ probe: once, ...small }), 2);
    tf.dispose([small.features, features, once.weights, once.bias, many.weights, many.bias]);
  });

  it('reports progress and leaves only its result behind', async () => {
    const { features, labels } = clusters(30, 3, 2);
    const seen: number[] = [];
    await expectNoLeak(async () => {
      const onProgress = ({ iteration }: { iteration: number }) => void seen.push(iteration);
      const probe = await linearProbe({ features, labels, classes: 2, lambda: 0.1, maxIterations: 3, onProgress });
      expect(probe).toMatchObject({ iterations: 3, converged: false });
      await probeAccuracy({ probe, features, labels });
      tf.dispose([probe.weights, probe.bias]);
    });
    expect(seen).toEqual([1, 2, 3]);
    features.dispose();
  });
});

describe('linearProbe refuses', () => {
  it('what does not fit', async () => {
    const call = (change: object) => () =>
      linearProbe({ features: tf.ones([2, 2]), labels: [0, 1], classes: 2, lambda: 1, ...change });
    await expect(call({ features: tf.ones([2, 2, 1]) })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: linearProbe: features must be float32 of shape [rows, columns], got float32 of shape [2, 2, 1]. Pass one row of features per image.]`,
    );
    await expect(call({ labels: [0, 2] })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: linearProbe: labels must be integers in [0, 2), got 2 in row 1. Number the classes from 0 and set \`classes\`.]`,
    );
    await expect(call({ classes: 1 })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: linearProbe: classes must be an integer of at least 2, got 1. With one class every answer is right.]`,
    );
    await expect(call({ lambda: 0 })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: linearProbe: lambda must be a finite number above 0, got 0. It has no default, as it depends on the features: try 1e-4, 1e-3 and 1e-2 on held-out images.]`,
    );
    await expect(call({ lambda: undefined })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: linearProbe: lambda must be a finite number above 0, got undefined. It has no default, as it depends on the features: try 1e-4, 1e-3 and 1e-2 on held-out images.]`,
    );
    await expect(call({ labels: [1, 1] })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: linearProbe: labels must hold at least two classes, got class 1 alone. With one class every answer is right: take images of others, too.]`,
    );
    await expect(call({ maxIterations: 0 })).rejects.toThrow(RangeError);
    await expect(call({ tolerance: Number.NaN })).rejects.toThrow(RangeError);
    await expect(call({ features: tf.fill([2, 2], Number.NaN) })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: linearProbe: features must be finite, got NaN or infinity in row 0. The encoder has diverged, or its input was not finite.]`,
    );
    const probe = { weights: tf.ones<tf.Rank.R2>([2, 3]), bias: tf.ones<tf.Rank.R1>([2]) };
    await expect(
      probeAccuracy({ probe, features: tf.ones([2, 2]), labels: [0, 0] }),
    ).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: probeAccuracy: features must have the probe's 3 columns, got 2. Use the encoder that the probe was trained on.]`,
    );
  });
});
