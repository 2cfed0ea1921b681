import * as tf from '@tensorflow/tfjs-core';
import { describe, it } from 'vitest';
import { expectSameOnCpu } from '../../test-support/on-both.ts';

describe('Sum and Mean over all axes but the last', () => {
  const shapes = [
    [512, 256],
    [3, 5, 7, 9],
    [70, 20],
    [5000, 3],
    [1, 130],
    [9000, 8],
  ];
  it.each(shapes.map((shape) => ({ shape })))('equal the reference on $shape', async ({ shape }) => {
    await expectSameOnCpu(
      () => {
        const x = tf.randomNormal(shape, 0.5, 1, 'float32', 1);
        const axes = shape.slice(1).map((_, axis) => axis);
        return { sum: tf.sum(x, axes), mean: tf.mean(x, axes, true) };
      },
      { scaled: 2e-6 },
    );
  });

  it('leave other axes and types to the stock kernels', async () => {
    await expectSameOnCpu(
      () => {
        const x = tf.randomNormal([6, 7, 4], 0, 1, 'float32', 1);
        const whole = tf.cast(tf.round(tf.mul(x, 10)), 'int32');
        return { last: tf.sum(x, 2), middle: tf.mean(x, 1), all: tf.sum(x), whole: tf.sum(whole) };
      },
      { scaled: 2e-6 },
    );
  });
});
