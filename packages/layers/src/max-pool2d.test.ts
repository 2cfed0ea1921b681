import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { describeEngines, expectClose, expectNoLeak } from '@tfjs-ssl/testing';
import { expect, it } from 'vitest';
import { maxPool2d } from './max-pool2d.ts';

describeEngines('maxPool2d', () => {
  it('gives NaN where a window has one, and there alone', async () => {
    for (const channels of [1, 3, 4]) {
      const values = Float32Array.from({ length: 36 * channels }, (_, i) => Math.sin(i));
      values[8 * channels] = Number.NaN; // row 1, column 2 of channel 0
      const pooled = await maxPool2d({ poolSize: 3, strides: 2, padding: 1 }).apply(
        tf.tensor4d(values, [1, 6, 6, channels]),
      );
      const nans = Array.from(await (pooled as tf.Tensor).data(), Number.isNaN);
      const expected = Array.from({ length: 9 * channels }, (_, i) => i === channels || i === 4 * channels);
      expect(nans).toEqual(expected);
    }
  });

  it('takes the largest value of each window and channel', async () => {
    const x = tf.tensor4d([1, -1, 2, -2, 3, -3, 4, -4], [1, 2, 2, 2]);
    await expectClose(maxPool2d({ poolSize: 2 }).apply(x) as tf.Tensor, [4, -1]);
  });

  it('lets the padding never win', async () => {
    const x = tf.tensor4d([-5, -6, -7, -8, -1, -9, -3, -4, -2], [1, 3, 3, 1]);
    const y = maxPool2d({ poolSize: 3, strides: 2, padding: 1 }).apply(x) as tf.Tensor;
    expect(y.shape).toEqual([1, 2, 2, 1]);
    await expectClose(y, [-1, -1, -1, -1]);
    const corner = tf.fill([1, 4, 4, 1], -7);
    await expectClose(maxPool2d({ poolSize: 3, strides: 2, padding: 1 }).apply(corner) as tf.Tensor, [-7, -7, -7, -7]);
  });

  it('gives the gradient to the largest values alone', async () => {
    const layer = maxPool2d({ poolSize: 2, padding: 1 });
    const x = tf.tensor4d([1, 2, 3, 4, 9, 5, 6, 8, 7], [1, 3, 3, 1]);
    // Windows with padding: [1], [2 3], [4 6], [9 5 8 7].
    const dx = tf.grad((xs) => tf.sum(tf.mul(layer.apply(xs) as tf.Tensor, tf.tensor4d([1, 2, 3, 4], [1, 2, 2, 1]))))(
      x,
    );
    await expectClose(dx, [1, 0, 2, 0, 4, 0, 3, 0, 0]);
  });

  it('knows the shape that it gives', () => {
    const layer = maxPool2d({ poolSize: 3, strides: 2, padding: 1 });
    expect(layer.computeOutputShape([null, null, 7, 4])).toEqual([null, null, 4, 4]);
    expect((layer.apply(tf.ones([2, 8, 7, 4])) as tf.Tensor).shape).toEqual([2, 4, 4, 4]);
  });

  it('survives its configuration', () => {
    const layer = maxPool2d({ poolSize: 3, strides: 2, padding: 1, name: 'maxpool' });
    const Class = layer.constructor as unknown as tf.serialization.SerializableConstructor<tfl.layers.Layer>;
    expect(Class.fromConfig(Class, layer.getConfig()).getConfig()).toEqual(layer.getConfig());
  });

  it('gives back all memory', async () => {
    const layer = maxPool2d({ poolSize: 2 });
    const x = tf.ones([1, 4, 4, 1]);
    await expectNoLeak(() => (layer.apply(x) as tf.Tensor).dispose());
  });

  it('refuses what it cannot do', () => {
    expect(() => maxPool2d({ poolSize: 2, padding: 2 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: maxPool2d: padding must be at most 1, half of poolSize, got 2. Use less padding: a window outside the image has no maximum.]`,
    );
    expect(() => maxPool2d({ poolSize: 0 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: maxPool2d: poolSize must be an integer of at least 1, got 0. Pass a whole number.]`,
    );
    expect(() => maxPool2d({ poolSize: 5 }).computeOutputShape([null, 4, 4, 1])).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: maxPool2d: input must have sides of at least 5 pixels for a window of 5 with padding 0, got shape [null, 4, 4, 1]. Use larger images or a smaller window.]`,
    );
  });
});
