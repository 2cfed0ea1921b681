import * as tf from '@tensorflow/tfjs-core';
import { describeEngines, expectClose, expectNoLeak } from '@tfjs-ssl/testing';
import { expect, it } from 'vitest';
import { horizontalFlip } from './horizontal-flip.ts';
import { normalize } from './normalize.ts';
import { solarize } from './solarize.ts';

describeEngines('flip, solarize, normalize', () => {
  it('flip mirrors columns, not rows, channels or images', async () => {
    const x = tf.reshape(tf.range(0, 24), [2, 2, 3, 2]) as tf.Tensor4D;
    await expectClose(
      horizontalFlip(x),
      [4, 5, 2, 3, 0, 1, 10, 11, 8, 9, 6, 7, 16, 17, 14, 15, 12, 13, 22, 23, 20, 21, 18, 19],
      {},
    );
    await expectClose(horizontalFlip(horizontalFlip(x)), x, {});
  });

  it('solarize inverts from the threshold on, inclusive, in float32', async () => {
    const levels = Float32Array.from([0, 127, 128, 129, 255], (level) => level / 255);
    const x = tf.tensor4d(levels, [1, 1, 5, 1]);
    await expectClose(
      solarize(x, 128 / 255),
      Float32Array.from([0, 127, 127, 126, 0], (level) => level / 255),
      {
        atol: 1e-7,
      },
    );
    await expectClose(solarize(x, tf.tensor1d([128 / 255])), solarize(x, 128 / 255), {});
    await expectClose(solarize(x, 0), tf.sub(1, x), {});
    await expectClose(solarize(x, tf.tensor1d([1.01])), x, {});
  });

  it('solarize takes one threshold per image', async () => {
    await expectClose(solarize(tf.fill([3, 1, 1, 1], 0.25), [0.2, 0.25, 0.3]), [0.75, 0.75, 0.25], {});
  });

  it('normalize works per channel', async () => {
    const x = tf.tensor4d([0.5, 0.5, 0.5, 1, 1, 1], [1, 1, 2, 3]);
    await expectClose(normalize(x, { mean: [0.5, 0, 1], std: [0.5, 0.25, 2] }), [0, 2, -0.25, 1, 4, 0]);
  });

  it('gives back all memory', async () => {
    const x = tf.ones([2, 3, 3, 3]) as tf.Tensor4D;
    await expectNoLeak(() => {
      horizontalFlip(x).dispose();
      solarize(x, [0.5, 0.6]).dispose();
      normalize(x, { mean: [0, 0, 0], std: [1, 1, 1] }).dispose();
    });
  });

  it('refuses what does not fit', () => {
    expect(() => solarize(tf.ones([2, 1, 1, 1]), 128)).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: solarize: threshold must be finite numbers in [0, 1], got 128. State it in the range of the images: 128 of 255 is 128 / 255.]`,
    );
    expect(() => solarize(tf.ones([2, 1, 1, 1]), [0.5, 128])).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: solarize: threshold must be finite numbers in [0, 1], got 128 for image 1. State it in the range of the images: 128 of 255 is 128 / 255.]`,
    );

    const x = tf.ones([2, 3, 3, 3]) as tf.Tensor4D;
    expect(() => horizontalFlip(tf.ones([3, 3]) as unknown as tf.Tensor4D)).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: horizontalFlip: images must have shape [N, H, W, C], got [3, 3]. Add the batch axis to a single image; give channels last.]`,
    );
    expect(() => solarize(x, Number.NaN)).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: solarize: threshold must be finite numbers in [0, 1], got NaN. State it in the range of the images: 128 of 255 is 128 / 255.]`,
    );
    expect(() => normalize(x, { mean: [0], std: [1] })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: normalize: mean must hold 3 numbers, one per channel, got 1. Pass one number per channel of the images.]`,
    );
    expect(() => normalize(x, { mean: [0, 0, 0], std: [1, 0, 1] })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: normalize: std must be a finite number above 0, got 0. State it in the range of the images, [0, 1]: divide numbers for images of 0 to 255 by 255.]`,
    );
  });
});
