import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { describeEngines, expectClose } from '@tfjs-ssl/testing';
import { expect, expectTypeOf, it } from 'vitest';
import { typedModel } from './index.ts';

describeEngines('typedModel', () => {
  const model = () => tfl.sequential({ layers: [tfl.layers.flatten({ inputShape: [2, 2, 3] })] });

  it('is the model, whose results have their rank', async () => {
    const plain = model();
    const flatten = typedModel(plain, 2);
    expect(flatten).toBe(plain);
    const features = flatten.apply(tf.ones([4, 2, 2, 3]), { training: true });
    expectTypeOf(features).toEqualTypeOf<tf.Tensor2D>();
    expectTypeOf(flatten.predict(tf.ones([4, 2, 2, 3]))).toEqualTypeOf<tf.Tensor2D>();
    expectTypeOf(flatten.apply(tfl.input({ shape: [2, 2, 3] }))).toEqualTypeOf<tfl.SymbolicTensor>();
    await expectClose(features, new Array(48).fill(1));
  });

  it('refuses inputs of another shape than the model was made for', () => {
    const layers = [tfl.layers.flatten({ inputShape: [2, 2, 3] })];
    const flatten = typedModel(tfl.sequential({ name: 'flatten', layers }), 2);
    expect(() => flatten.apply(tf.ones([4, 1, 2, 3]))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: flatten: the input must have shape [N, 2, 2, 3], got [4, 1, 2, 3]. Pass what the model was made for, or make it with the shape of its input.]`,
    );
    expect(() => flatten.apply(tf.ones([2, 2, 3]))).toThrow(
      /the input must have shape \[N, 2, 2, 3\], got \[2, 2, 3\]/,
    );
    const anySize = tfl.sequential({ layers: [tfl.layers.globalAveragePooling2d({ inputShape: [null, null, 3] })] });
    expect(typedModel(anySize, 2).apply(tf.ones([4, 5, 6, 3])).shape).toEqual([4, 3]);
    expect(() => typedModel(anySize, 2).apply(tf.ones([4, 5, 6, 1]))).toThrow(/must have shape \[N, any, any, 3\]/);
  });

  it('refuses another rank and several inputs', () => {
    expect(() => typedModel(model(), 4)).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: typedModel: model must have an output of rank 4, got shape [null, 12]. Pass that rank, or pool or flatten the output first.]`,
    );
    const [a, b] = [tfl.input({ shape: [2] }), tfl.input({ shape: [2] })];
    const two = tfl.model({ inputs: [a, b], outputs: tfl.layers.add().apply([a, b]) as tfl.SymbolicTensor });
    expect(() => typedModel(two, 2)).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: typedModel: model must have one input and one output, got 2 and 1. Make a model with one of each.]`,
    );
  });
});
