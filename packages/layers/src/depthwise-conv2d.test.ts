import * as tf from '@tensorflow/tfjs-core';
import type { layers } from '@tensorflow/tfjs-layers';
import { describeEngines, expectClose } from '@tfjs-ssl/testing';
import { expect, it } from 'vitest';
import { depthwiseConv2d } from './depthwise-conv2d.ts';

describeEngines('depthwiseConv2d', () => {
  it('moves each window over its own channel, with zeros on all sides', async () => {
    const layer = depthwiseConv2d({ kernelSize: 3, strides: 2, padding: 1 });
    layer.build([null, 4, 4, 2]);
    // channel 0 takes the middle of its window, channel 1 the pixel before it in both directions
    const weight = tf.buffer([3, 3, 1, 2]);
    weight.set(1, 1, 1, 0, 0);
    weight.set(10, 0, 0, 0, 1);
    layer.setWeights([weight.toTensor()]);
    const x = tf.tensor4d(
      Array.from({ length: 32 }, (_, i) => (i % 2 ? 100 : 0) + Math.floor(i / 2)),
      [1, 4, 4, 2],
    );
    const y = layer.apply(x) as tf.Tensor;
    expect(y.shape).toEqual([1, 2, 2, 2]);
    // stock 'same' would begin at the first pixel and read the second, third and so on
    await expectClose(y, [0, 0, 2, 0, 8, 0, 10, 1050]);
    expect(layer.computeOutputShape([1, 4, 4, 2])).toEqual([1, 2, 2, 2]);
  });

  it('survives its configuration', () => {
    const layer = depthwiseConv2d({ kernelSize: 5, strides: 2, padding: 2, seed: 4, name: 'dw' });
    const Class = layer.constructor as unknown as tf.serialization.SerializableConstructor<layers.Layer>;
    expect(Class.fromConfig(Class, layer.getConfig()).getConfig()).toEqual(layer.getConfig());
  });

  it('refuses what it cannot do', () => {
    expect(() => depthwiseConv2d({ kernelSize: 0 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: depthwiseConv2d: kernelSize must be an integer of at least 1, got 0. Pass a whole number.]`,
    );
    expect(() => depthwiseConv2d({ kernelSize: 3, padding: -1 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: depthwiseConv2d: padding must be an integer of at least 0, got -1. Pass a whole number.]`,
    );
    expect(() => depthwiseConv2d({ kernelSize: 3 }).build([null, 3])).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: depthwiseConv2d: input must have shape [N, H, W, C] with C known, got [null, 3]. Give the model's input shape with its channels.]`,
    );
    expect(() =>
      depthwiseConv2d({ kernelSize: 5 }).computeOutputShape([1, 4, 4, 2]),
    ).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: depthwiseConv2d: input must have sides of at least 5 pixels for a window of 5 with padding 0, got shape [1, 4, 4, 2]. Use larger images or a smaller window.]`,
    );
  });
});
