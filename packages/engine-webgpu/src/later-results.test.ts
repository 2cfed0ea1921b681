import * as tf from '@tensorflow/tfjs-core';
import { describeEngines } from '@tfjs-ssl/testing';
import { expect, it } from 'vitest';
import { expectAsReference, gpu } from '../test-support/reference.ts';
import { webgpuEngine } from './engine.ts';

type Case = [images: number, side: number, channels: number, outputs: number, window: number, stride: number];

/** x + transposed convolution of y: the kernel that adds, as where a residual branch joins. */
const joined = ([x, y, filter]: tf.Tensor[], [, , , , window, stride]: Case): tf.Tensor =>
  tf.add(x!, transposed([x!, y!, filter!], window, stride));
const transposed = ([x, y, filter]: tf.Tensor[], window: number, stride: number): tf.Tensor =>
  tf.conv2dTranspose(
    y as tf.Tensor4D,
    filter as tf.Tensor4D,
    x!.shape as [number, number, number, number],
    stride,
    (window - 1) / 2,
  );
const shapes = ([n, side, channels, outputs, window, stride]: Case): number[][] => [
  [n, side, side, channels],
  [n, Math.ceil(side / stride), Math.ceil(side / stride), outputs],
  [window, window, channels, outputs],
];

/** Vector stores, single ones, phases of a stride, taps that reach nothing, split sums, whole tiles of matrix units. */
const cases: Case[] = [
  [2, 8, 8, 8, 3, 1],
  [2, 9, 5, 3, 3, 1],
  [2, 8, 8, 16, 3, 2],
  [2, 8, 12, 16, 1, 2],
  [9, 2, 64, 64, 3, 1],
  [8, 4, 32, 32, 1, 1],
];

describeEngines('a sum with a gradient of a convolution', () => {
  it.each(cases)('of %i x %i pixels x %i from %i by %i, stride %i', async (...shape) => {
    await expectAsReference(shapes(shape), (inputs) => [joined(inputs, shape)], { tolerance: 1e-5 });
  });

  it.for(cases)('in mixed precision, %i x %i pixels x %i from %i by %i, stride %i', async (shape, { skip }) => {
    skip(!gpu().device.features.has('shader-f16'), 'this device has no float16');
    await expectAsReference(shapes(shape), (inputs) => [joined(inputs, shape)], {
      tolerance: 2e-3,
      precision: 'mixed',
    });
  });

  it('takes part in the sum, and is what it is for others, before and after', async () => {
    const shape: Case = [2, 8, 8, 8, 3, 1];
    await expectAsReference(
      shapes(shape),
      ([x, y, filter]) => {
        const g = transposed([x!, y!, filter!], 3, 1);
        const [sum, other] = [tf.add(g, x!), tf.add(x!, g)];
        return [sum, tf.mul(g, 2), tf.add(g, x!), other, tf.add(g, g), g];
      },
      { tolerance: 1e-5 },
    );
  });

  it('needs one dispatch, none where nobody needs it, and leaves nothing behind', () => {
    const inputs = { x: { shape: [2, 8, 8, 8], dtype: 'float32' } } as const;
    const count = (step: (x: tf.Tensor) => tf.Tensor) =>
      webgpuEngine.rehearse(({ x }) => ({ y: step(x!) }), inputs).dispatches;
    const filter = tf.ones([3, 3, 8, 8]);
    expect(count((x) => tf.add(x, transposed([x, x, filter], 3, 1)))).toBe(1);
    expect(count((x) => tf.add(transposed([x, x, filter], 3, 1), 1))).toBe(2); // of another shape
    const unused = (x: tf.Tensor) => {
      transposed([x, x, filter], 3, 1);
      return tf.neg(x);
    };
    expect(count(unused)).toBe(1);
    const before = tf.engine().backend.numDataIds();
    tf.tidy(() => {
      const x = tf.add(tf.ones([2, 8, 8, 8]), 1);
      tf.add(x, transposed([x, x, filter], 3, 1));
      transposed([x, x, filter], 3, 1);
    });
    gpu().flush();
    expect(tf.engine().backend.numDataIds()).toBe(before);
  });
});
