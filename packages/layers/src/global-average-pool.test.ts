import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { describeEngines, expectClose, expectNoLeak } from '@tfjs-ssl/testing';
import { expect, it } from 'vitest';
import { globalAveragePool } from './global-average-pool.ts';

describeEngines('globalAveragePool layer', () => {
  it('averages positions of images of any size', async () => {
    const images = tfl.input({ shape: [null, null, 2] });
    const model = tfl.model({ inputs: images, outputs: globalAveragePool().apply(images) as tfl.SymbolicTensor });
    expect(model.outputs[0]?.shape).toEqual([null, 2]);
    await expectClose(model.predict(tf.tensor4d([1, 10, 3, 30], [1, 1, 2, 2])) as tf.Tensor, [2, 20]);
    await expectClose(model.predict(tf.ones([1, 3, 3, 2])) as tf.Tensor, [1, 1]);
  });

  it('gives back all memory', async () => {
    const layer = globalAveragePool();
    const x = tf.ones([1, 4, 4, 1]);
    await expectNoLeak(() => (layer.apply(x) as tf.Tensor).dispose());
  });

  it('refuses other inputs than images', () => {
    expect(() => globalAveragePool().computeOutputShape([null, 4])).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: globalAveragePool: input must have shape [N, H, W, C] with C known, got [null, 4]. Give the model's input shape with its channels.]`,
    );
  });
});
