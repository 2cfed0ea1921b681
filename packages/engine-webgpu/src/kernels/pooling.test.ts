import * as tf from '@tensorflow/tfjs-core';
import { globalAveragePool } from '@tfjs-ssl/ops';
import { describe, it } from 'vitest';
import { expectSameOnCpu } from '../../test-support/on-both.ts';

/** Integers, so that windows have ties. */
const integers = (shape: readonly number[], seed: number): tf.Tensor4D =>
  tf.floor(tf.randomUniform(shape as [number, number, number, number], -4, 4, 'float32', seed)) as tf.Tensor4D;

describe('MaxPool and its gradient', () => {
  const cases: Array<[shape: number[], filter: [number, number], stride: [number, number], pad: unknown]> = [
    [
      [2, 16, 16, 64],
      [3, 3],
      [2, 2],
      [
        [0, 0],
        [1, 1],
        [1, 1],
        [0, 0],
      ],
    ],
    [[2, 9, 7, 8], [3, 3], [2, 2], 1],
    [[3, 7, 9, 5], [2, 3], [1, 2], 'same'],
    [[1, 8, 8, 4], [2, 2], [2, 2], 'valid'],
    [[2, 6, 6, 3], [2, 2], [3, 3], 'valid'],
    [[1, 5, 5, 1], [5, 4], [1, 1], 2],
  ];
  it.each(cases)(
    'equals the reference on [%s], window %s, stride %s, padding %s',
    async (shape, filter, stride, pad) => {
      await expectSameOnCpu(() => {
        const rounding = typeof pad === 'string' ? undefined : 'floor';
        const pool = (x: tf.Tensor4D) => tf.maxPool(x, filter, stride, pad as 'valid', rounding);
        const x = integers(shape, 1);
        const output = pool(x);
        const dy = integers(output.shape, 2);
        return { output, dx: tf.grad((xs: tf.Tensor) => pool(xs as tf.Tensor4D))(x, dy) };
      }, {});
    },
  );
});

describe('GlobalAveragePool and its gradient', () => {
  const shapes: Array<[[number, number, number, number]]> = [[[4, 2, 2, 512]], [[3, 5, 7, 33]], [[1, 60, 50, 2]]];
  it.each(shapes)('equals its composition on [%s]', async (shape) => {
    await expectSameOnCpu(
      () => {
        const x = tf.randomNormal(shape, 3, 1, 'float32', 1) as tf.Tensor4D;
        const dy = tf.randomNormal([shape[0], shape[3]], 0, 1, 'float32', 2);
        return {
          output: globalAveragePool(x),
          dx: tf.grad((xs: tf.Tensor) => globalAveragePool(xs as tf.Tensor4D))(x, dy),
        };
      },
      { rtol: 1e-6 },
    );
  });
});
