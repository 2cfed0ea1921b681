import type * as tf from '@tensorflow/tfjs-core';
import type { layers } from '@tensorflow/tfjs-layers';
import { describeEngines, expectClose } from '@tfjs-ssl/testing';
import { expect, it } from 'vitest';
import { squeezeExcite } from './squeeze-excite.ts';

describeEngines('squeezeExcite, the layer', () => {
  it('has the kernels and biases of two convolutions of one pixel', async () => {
    const layer = squeezeExcite({ squeezed: 2, seed: 1 });
    layer.build([null, 4, 4, 6]);
    expect(layer.weights.map(({ originalName, shape }) => [originalName, shape])).toEqual([
      ['fc1.weight', [1, 1, 6, 2]],
      ['fc1.bias', [2]],
      ['fc2.weight', [1, 1, 2, 6]],
      ['fc2.bias', [6]],
    ]);
    await expectClose(layer.getWeights()[1] as tf.Tensor, [0, 0]);
  });

  it('survives its configuration', () => {
    const layer = squeezeExcite({ squeezed: 3, seed: 5, name: 'gate' });
    const Class = layer.constructor as unknown as tf.serialization.SerializableConstructor<layers.Layer>;
    expect(Class.fromConfig(Class, layer.getConfig()).getConfig()).toEqual(layer.getConfig());
  });

  it('refuses what it cannot build', () => {
    expect(() => squeezeExcite({ squeezed: 0.5 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: squeezeExcite: squeezed must be an integer of at least 1, got 0.5. Pass a whole number.]`,
    );
    expect(() => squeezeExcite({ squeezed: 1 }).build([null, 3])).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: squeezeExcite: input must have shape [N, H, W, C] with C known, got [null, 3]. Give the model's input shape with its channels.]`,
    );
  });
});
