import './register-gradients.ts';
import * as tf from '@tensorflow/tfjs-core';
import { describeEngines, expectClose, expectGradient, expectNoLeak } from '@tfjs-ssl/testing';
import { expect, it } from 'vitest';

/** d sum(mean pooling) / dx by definition: each window gives 1 over its positions inside to each of them. */
function spread(length: number, size: number, stride: number): number[] {
  const windows = Math.ceil(length / stride);
  const before = Math.floor(Math.max((windows - 1) * stride + size - length, 0) / 2);
  const sums = new Array<number>(length).fill(0);
  for (let i = 0; i < windows; i++) {
    const inside = sums.map((_, at) => at).filter((at) => at >= i * stride - before && at < i * stride - before + size);
    for (const at of inside) sums[at]! += 1 / inside.length;
  }
  return sums;
}

describeEngines('gradient of average pooling', () => {
  it('equals a case worked by hand: padding is not counted', async () => {
    // Every window of 3 x 3 sees all four pixels: four means, each with a quarter of every pixel.
    const x = tf.tensor4d([1, 2, 3, 4], [1, 2, 2, 1]);
    const pool = (v: tf.Tensor) => tf.avgPool(v as tf.Tensor4D, 3, 1, 'same');
    await expectClose(pool(x), [2.5, 2.5, 2.5, 2.5]);
    await expectClose(tf.grad((v) => tf.sum(pool(v)))(x), [1, 1, 1, 1]);
  });

  it('equals a case worked by hand in three dimensions', async () => {
    const x = tf.tensor5d([1, 2, 3, 4, 5, 6, 7, 8], [1, 2, 2, 2, 1]);
    const pool = (v: tf.Tensor) => tf.avgPool3d(v as tf.Tensor5D, 3, 1, 'same');
    await expectClose(pool(x), new Array(8).fill(4.5));
    await expectClose(tf.grad((v) => tf.sum(pool(v)))(x), new Array(8).fill(1));
  });

  it.each([
    [5, 7, 3, 2],
    [6, 5, 2, 2],
    [7, 4, 4, 3],
    [4, 4, 2, 2], // no window reaches into the padding
  ])('of %i x %i pixels, size %i, stride %i, is its definition', async (height, width, size, stride) => {
    const x = tf.randomNormal<tf.Rank.R4>([2, height, width, 3], 0, 1, 'float32', 3);
    const gradient = tf.grad((v) => tf.sum(tf.avgPool(v as tf.Tensor4D, size, stride, 'same')))(x);
    const [down, across] = [spread(height, size, stride), spread(width, size, stride)];
    const image = down.flatMap((a) => across.flatMap((b) => [a * b, a * b, a * b]));
    await expectClose(gradient, [...image, ...image], { rtol: 1e-6 });
  });

  it('has the gradient of its differences, with uneven weights', async () => {
    const x = tf.randomNormal<tf.Rank.R4>([2, 5, 6, 5], 0, 1, 'float32', 1);
    const weights = tf.randomNormal([2, 3, 3, 5], 0, 1, 'float32', 2);
    const pooled = (v: tf.Tensor) =>
      tf.sum(tf.mul(tf.square(tf.avgPool(v as tf.Tensor4D, 3, 2, 'same')), weights)) as tf.Scalar;
    await expectGradient(pooled, [x]);
    const volume = tf.randomNormal<tf.Rank.R5>([1, 3, 4, 5, 2], 0, 1, 'float32', 1);
    const ofVolume = tf.randomNormal([1, 2, 2, 3, 2], 0, 1, 'float32', 2);
    const pooled3d = (v: tf.Tensor) =>
      tf.sum(tf.mul(tf.square(tf.avgPool3d(v as tf.Tensor5D, 3, 2, 'same')), ofVolume)) as tf.Scalar;
    await expectGradient(pooled3d, [volume]);
  });

  it('leaves no tensors behind', async () => {
    const x = tf.ones<tf.Rank.R4>([1, 5, 5, 2]);
    await expectNoLeak(() =>
      tf
        .grad((v) => tf.sum(tf.avgPool(v as tf.Tensor4D, 3, 2, 'same')))(x)
        .dispose(),
    );
    expect(x.isDisposed).toBe(false);
  });
});
