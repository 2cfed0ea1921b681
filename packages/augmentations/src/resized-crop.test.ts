import * as tf from '@tensorflow/tfjs-core';
import { describeEngines, expectClose, expectNoLeak } from '@tfjs-ssl/testing';
import { expect, it } from 'vitest';
import { resizedCrop } from './resized-crop.ts';

const ramp = (height: number, width: number): tf.Tensor4D =>
  tf.reshape(tf.range(0, height * width), [1, height, width, 1]);

describeEngines('resizedCrop', () => {
  it('cuts out exactly where nothing is resized', async () => {
    const crop = resizedCrop(ramp(4, 5), { top: 1, left: 2, height: 2, width: 3 }, { size: [2, 3] });
    await expectClose(crop, [7, 8, 9, 12, 13, 14], {});
  });

  it('enlarges with half-pixel centres, never looking beyond the box', async () => {
    const box = { top: 0, left: 1, height: 1, width: 2 };
    for (const antialias of [true, false]) {
      // Columns 1 and 2 of 0, 1, 2, 3 at -1/4, 1/4, 3/4, 5/4 pixels.
      await expectClose(resizedCrop(ramp(1, 4), box, { size: [1, 4], antialias }), [1, 1.25, 1.75, 2]);
    }
  });

  it('shrinks with a wider filter when it antialiases, and by two pixels when not', async () => {
    const box = { top: 0, left: 0, height: 1, width: 4 };
    const x = tf.tensor4d([0, 0, 0, 8], [1, 1, 4, 1]);
    // Centres at 1 and 3 pixels; the triangle reaches 2 to each side: weights 1/4, 3/4, 3/4, 1/4 where there are pixels.
    await expectClose(resizedCrop(x, box, { size: [1, 2] }), [8 * 0, (8 * 0.75) / 1.75]);
    await expectClose(resizedCrop(x, box, { size: [1, 2], antialias: false }), [0, 4]);
  });

  it('keeps even images even', async () => {
    const x = tf.fill([1, 7, 9, 3], 0.7) as tf.Tensor4D;
    const y = resizedCrop(x, { top: 1, left: 2, height: 5, width: 6 }, { size: [4, 11] });
    await expectClose(y, Array(132).fill(0.7), { atol: 1e-6 });
  });

  it('takes a box per image, as arrays or tensors, and gives back all memory', async () => {
    const x = tf.randomUniform([3, 9, 8, 3], 0, 1, 'float32', 3) as tf.Tensor4D;
    const box = { top: [0, 2, 5], left: [1, 0, 3], height: [9, 4, 1], width: [7, 3, 5] };
    const together = resizedCrop(x, box, { size: 6 });
    expect(together.shape).toEqual([3, 6, 6, 3]);
    const tensors = {
      top: tf.tensor1d(box.top),
      left: tf.tensor1d(box.left),
      height: tf.tensor1d(box.height),
      width: tf.tensor1d(box.width),
    };
    await expectClose(resizedCrop(x, tensors, { size: 6 }), together, {});
    for (let i = 0; i < 3; i++) {
      const own = { top: box.top[i]!, left: box.left[i]!, height: box.height[i]!, width: box.width[i]! };
      await expectClose(resizedCrop(tf.slice(x, i, 1), own, { size: 6 }), tf.slice(together, i, 1), { atol: 1e-6 });
    }
    await expectNoLeak(() => resizedCrop(x, box, { size: 6 }).dispose());
  });

  it('refuses what does not fit', () => {
    const x = tf.ones([2, 8, 8, 3]) as tf.Tensor4D;
    const box = { top: 0, left: 0, height: 8, width: 8 };
    expect(() => resizedCrop(x, { ...box, top: 1 }, { size: 4 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: resizedCrop: box must end within the 8 pixels of image 0, got 9 as its bottom end. Move or shrink the box.]`,
    );
    expect(() => resizedCrop(x, { ...box, width: [8, 9] }, { size: 4 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: resizedCrop: width must be integers in [1, 8], got 9 for image 1. Correct it.]`,
    );
    expect(() => resizedCrop(x, { ...box, left: 0.5 }, { size: 4 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: resizedCrop: left must be integers in [0, 7], got 0.5. Correct it.]`,
    );
    expect(() => resizedCrop(x, box, { size: 0 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: resizedCrop: size must be an integer of at least 1, got 0. Give pixels: one number for a square, or [height, width].]`,
    );
  });
});
