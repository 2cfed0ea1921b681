import * as tf from '@tensorflow/tfjs-core';
import { describeEngines, expectClose, expectGradient, expectNoLeak } from '@tfjs-ssl/testing';
import { expect, it } from 'vitest';
import { globalAveragePool } from './global-average-pool.ts';

describeEngines('globalAveragePool', () => {
  it('averages positions, not channels or images', async () => {
    const x = tf.tensor4d([1, 10, 3, 30, 5, 50, 7, 70], [2, 1, 2, 2]);
    const y = globalAveragePool(x);
    expect(y.shape).toEqual([2, 2]);
    await expectClose(y, [2, 20, 6, 60]);
  });

  it('spreads the gradient evenly over the positions', async () => {
    const x = tf.zeros([1, 2, 2, 1]) as tf.Tensor4D;
    const gradient = tf.grad((xs) => tf.sum(tf.mul(globalAveragePool(xs as tf.Tensor4D), 8)))(x);
    expect(gradient.shape).toEqual([1, 2, 2, 1]);
    await expectClose(gradient, [2, 2, 2, 2]);
  });

  it('has the right gradient on odd sizes', async () => {
    const x = tf.randomNormal([3, 3, 5, 2], 0, 1, 'float32', 1);
    const weights = tf.randomNormal([3, 2], 0, 1, 'float32', 2);
    await expectGradient((xs) => tf.sum(tf.mul(tf.square(globalAveragePool(xs as tf.Tensor4D)), weights)), [x]);
  });

  it('gives back all memory', async () => {
    const x = tf.ones([2, 3, 3, 2]) as tf.Tensor4D;
    await expectNoLeak(() => globalAveragePool(x).dispose());
    await expectNoLeak(() =>
      tf
        .grad((xs) => tf.sum(globalAveragePool(xs as tf.Tensor4D)))(x)
        .dispose(),
    );
  });

  it('refuses other ranks', () => {
    expect(() => globalAveragePool(tf.zeros([2, 3]) as unknown as tf.Tensor4D)).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: globalAveragePool: x must have shape [N, H, W, C], got [2, 3]. Add the missing axes.]`,
    );
  });
});
