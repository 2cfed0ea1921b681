import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { describeEngines, expectClose, expectNoLeak } from '@tfjs-ssl/testing';
import { expect, it } from 'vitest';
import { linear } from './linear.ts';

describeEngines('linear', () => {
  it('multiplies and adds', async () => {
    const layer = linear({ units: 2 });
    layer.build([null, 3]);
    layer.setWeights([tf.tensor2d([1, 10, 2, 20, 3, 30], [3, 2]), tf.tensor1d([0.5, -0.5])]);
    await expectClose(layer.apply(tf.tensor2d([1, 1, 1, 0, 0, 2], [2, 3])) as tf.Tensor, [6.5, 59.5, 6.5, 59.5]);
  });

  it('starts uniformly within 1 / sqrt(features), as PyTorch does', async () => {
    const layer = linear({ units: 64, seed: 1, name: 'start' });
    layer.build([null, 100]);
    for (const weight of layer.weights) {
      const values = weight.read();
      expect((await tf.max(tf.abs(values)).data())[0]).toBeLessThanOrEqual(0.1);
      expect((await tf.max(values).data())[0]).toBeGreaterThan(0.08);
      expect((await tf.min(values).data())[0]).toBeLessThan(-0.08);
    }
    // A uniform distribution's variance: bound^2 / 3.
    await expectClose(tf.moments(layer.weights[0]?.read() as tf.Tensor).variance, [0.01 / 3], { rtol: 0.04 });
  });

  it('does without a bias', async () => {
    const layer = linear({ units: 2, useBias: false });
    layer.build([null, 3]);
    expect(layer.weights.length).toBe(1);
    await expectClose(layer.apply(tf.zeros([1, 3])) as tf.Tensor, [0, 0]);
  });

  it('survives its configuration', () => {
    const layer = linear({ units: 3, useBias: false, seed: 9, name: 'fc' });
    const Class = layer.constructor as unknown as tf.serialization.SerializableConstructor<tfl.layers.Layer>;
    expect(Class.fromConfig(Class, layer.getConfig()).getConfig()).toEqual(layer.getConfig());
  });

  it('gives back all memory', async () => {
    const layer = linear({ units: 3 });
    const x = tf.ones([2, 4]);
    (layer.apply(x) as tf.Tensor).dispose();
    await expectNoLeak(() => (layer.apply(x) as tf.Tensor).dispose());
  });

  it('refuses what it cannot do', () => {
    expect(() => linear({ units: 0 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: linear: units must be an integer of at least 1, got 0. Pass a whole number.]`,
    );
    expect(() => linear({ units: 1 }).build([null, 4, 4, 3])).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: linear: input must have shape [N, features] with features known, got [null, 4, 4, 3]. Flatten or pool the input first.]`,
    );
    expect(() => linear({ units: 1 }).build([null, null])).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: linear: input must have shape [N, features] with features known, got [null, null]. Flatten or pool the input first.]`,
    );
  });
});
