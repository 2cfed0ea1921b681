import * as tf from '@tensorflow/tfjs-core';
import { describeEngines, expectClose, expectNoLeak } from '@tfjs-ssl/testing';
import { expect, it } from 'vitest';
import { gaussianBlur } from './gaussian-blur.ts';

describeEngines('gaussianBlur', () => {
  it('spreads a point into the outer product of the kernel', async () => {
    const x = tf.buffer([1, 5, 5, 1], 'float32');
    x.set(1, 0, 2, 2, 0);
    const side = Math.exp(-0.5 / 0.64);
    const kernel = [side, 1, side].map((weight) => weight / (1 + 2 * side));
    const expected = Array.from({ length: 25 }, (_, i) => {
      const [row, column] = [Math.floor(i / 5) - 1, (i % 5) - 1];
      return (kernel[row] ?? 0) * (kernel[column] ?? 0);
    });
    await expectClose(gaussianBlur(x.toTensor() as tf.Tensor4D, { kernelSize: 3, sigma: 0.8 }), expected, {
      atol: 1e-7,
    });
  });

  it('mirrors at the border without repeating the edge', async () => {
    // One row of 1, 2, 4: beyond the left edge comes 2, beyond the right one 2 again.
    const x = tf.tensor4d([1, 2, 4, 1, 2, 4], [1, 2, 3, 1]);
    const side = Math.exp(-0.5);
    const total = 1 + 2 * side;
    const row = [(1 + 2 * side * 2) / total, (2 + side * 5) / total, (4 + 2 * side * 2) / total];
    await expectClose(gaussianBlur(x, { kernelSize: 3, sigma: 1 }), [...row, ...row], { rtol: 1e-6 });
  });

  it('keeps even images, and the image at a tiny sigma', async () => {
    await expectClose(gaussianBlur(tf.fill([1, 6, 5, 3], 0.3), { kernelSize: 7, sigma: 2 }), Array(90).fill(0.3), {
      atol: 1e-6,
    });
    const x = tf.randomUniform([1, 6, 5, 3], 0, 1, 'float32', 1) as tf.Tensor4D;
    await expectClose(gaussianBlur(x, { kernelSize: 5, sigma: 0.05 }), x, {});
    await expectClose(gaussianBlur(x, { kernelSize: 1, sigma: 2 }), x, {});
  });

  it('takes kernels of many taps', async () => {
    const x = tf.buffer([1, 25, 25, 1], 'float32');
    x.set(1, 0, 12, 12, 0);
    const point = x.toTensor() as tf.Tensor4D;
    for (const kernelSize of [11, 13, 15, 23]) {
      const radius = (kernelSize - 1) / 2;
      const weights = Array.from({ length: 25 }, (_, i) =>
        Math.abs(i - 12) <= radius ? Math.exp((-0.5 * (i - 12) ** 2) / 16) : 0,
      );
      const total = weights.reduce((sum, weight) => sum + weight);
      const expected = weights.flatMap((row) => weights.map((column) => (row * column) / total ** 2));
      await expectClose(gaussianBlur(point, { kernelSize, sigma: 4 }), expected, { atol: 1e-7 });
    }
  });

  it('takes one sigma per image and gives back all memory', async () => {
    const x = tf.randomUniform([3, 6, 6, 2], 0, 1, 'float32', 2) as tf.Tensor4D;
    const sigmas = [0.4, 1, 1.9];
    const together = gaussianBlur(x, { kernelSize: 5, sigma: tf.tensor1d(sigmas) });
    for (const [i, sigma] of sigmas.entries()) {
      await expectClose(gaussianBlur(tf.slice(x, i, 1), { kernelSize: 5, sigma }), tf.slice(together, i, 1), {
        atol: 1e-6,
      });
    }
    await expectNoLeak(() => gaussianBlur(x, { kernelSize: 5, sigma: sigmas }).dispose());
  });

  it('refuses what does not fit', () => {
    const x = tf.ones([2, 4, 8, 3]) as tf.Tensor4D;
    expect(() => gaussianBlur(x, { kernelSize: 4, sigma: 1 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: gaussianBlur: kernelSize must be odd, got 4. The kernel has a tap in the middle.]`,
    );
    expect(() => gaussianBlur(x, { kernelSize: 9, sigma: 1 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: gaussianBlur: kernelSize must be at most 7 for images of shape [2, 4, 8, 3], got 9. The kernel's radius must be smaller than each side of the image.]`,
    );
    expect(() => gaussianBlur(x, { kernelSize: 2.5, sigma: 1 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: gaussianBlur: kernelSize must be an integer of at least 1, got 2.5. The kernel has a tap in the middle.]`,
    );
    expect(() => gaussianBlur(x, { kernelSize: 3, sigma: [1, 0] })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: gaussianBlur: sigma must be finite numbers above 0, got 0 for image 1. Correct it.]`,
    );
  });
});
