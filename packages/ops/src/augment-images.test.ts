import * as tf from '@tensorflow/tfjs-core';
import { describeEngines, expectClose, expectNoLeak } from '@tfjs-ssl/testing';
import { expect, it } from 'vitest';
import { augmentImages } from './augment-images.ts';
import type { AugmentStage } from './contract/augment-stages.ts';
import { hasKernel } from './contract/has-kernel.ts';

const flip: AugmentStage = { kind: 'horizontalFlip' };

describeEngines('augmentImages', () => {
  // Registered at run time, so it is asked at run time.
  const withKernel = (test: () => void | Promise<void>) => async () => {
    if (hasKernel('AugmentImages')) await test();
    else
      expect(() => augmentImages(tf.ones([1, 2, 2, 3]), tf.ones([1, 1]), [flip], { size: [2, 2] })).toThrow(
        /^augmentImages: the backend must have the kernel 'AugmentImages', got '.*', which has none\. Use Chain\.apply/,
      );
  };

  it(
    'runs stages in their order, each row on image r mod N',
    withKernel(async () => {
      const images = tf.tensor4d([0, 0, 0, 0.25, 0.25, 0.25, 0.5, 0.5, 0.5, 1, 1, 1], [2, 1, 2, 3]);
      const rows = tf.tensor2d([1, 0, 0.5, 0, 1, 0.5, 0, 0, 0.5, 1, 1, 0.75], [4, 3]);
      const views = augmentImages(images, rows, [flip, { kind: 'solarize' }], { size: [1, 2] });
      const gray = [0.25, 0, 0.5, 0, 0, 0.25, 0, 0.5];
      await expectClose(
        views,
        gray.flatMap((value) => [value, value, value]),
        {},
      );
    }),
  );

  it(
    'gives NaN for a box outside its image, as its composition does',
    withKernel(async () => {
      const stages: AugmentStage[] = [{ kind: 'resizedCrop', size: [2, 2], antialias: true }];
      const views = augmentImages(
        tf.ones([1, 4, 4, 3]),
        tf.tensor2d([
          [0, 9, 4, 4],
          [0, 0, 4, 4],
        ]),
        stages,
        { size: [2, 2] },
      );
      await expectClose(tf.slice(views, 0, 1), Array(12).fill(Number.NaN), {});
      await expectClose(tf.slice(views, 1, 1), Array(12).fill(1));
    }),
  );

  it(
    'gives back all memory',
    withKernel(async () => {
      const [images, rows] = [tf.ones([2, 4, 4, 3]) as tf.Tensor4D, tf.ones([4, 1]) as tf.Tensor2D];
      await expectNoLeak(() => augmentImages(images, rows, [flip], { size: [4, 4] }).dispose());
    }),
  );

  it(
    'refuses what does not fit',
    withKernel(() => {
      const images = tf.ones([2, 4, 4, 3]) as tf.Tensor4D;
      const size = [4, 4] as const;
      const blur: AugmentStage = { kind: 'gaussianBlur', kernelSize: 9 };
      expect(() =>
        augmentImages(tf.ones([2, 4, 4, 1]), tf.ones([2, 1]), [flip], { size }),
      ).toThrowErrorMatchingInlineSnapshot(
        `[RangeError: augmentImages: images must be float32 of shape [N, H, W, 3], got float32 of shape [2, 4, 4, 1]. Divide 8-bit images by 255.]`,
      );
      expect(() => augmentImages(images, tf.ones([2, 2]), [flip], { size })).toThrowErrorMatchingInlineSnapshot(
        `[RangeError: augmentImages: parameters must have 1 columns and a multiple of 2 rows, got shape [2, 2]. Make one row per view with the columns of these stages.]`,
      );
      expect(() => augmentImages(images, tf.ones([3, 1]), [flip], { size })).toThrowErrorMatchingInlineSnapshot(
        `[RangeError: augmentImages: parameters must have 1 columns and a multiple of 2 rows, got shape [3, 1]. Make one row per view with the columns of these stages.]`,
      );
      expect(() => augmentImages(images, tf.ones([2, 1]), [flip], { size: [4, 5] })).toThrowErrorMatchingInlineSnapshot(
        `[RangeError: augmentImages: size must be the size after the last stage, [4, 4], got [4, 5]. Pass the size of the last crop.]`,
      );
      expect(() => augmentImages(images, tf.ones([2, 2]), [blur], { size })).toThrowErrorMatchingInlineSnapshot(
        `[RangeError: augmentImages: kernelSize must be at most 7 for images of 4 x 4 pixels, got 9. The kernel's radius must be smaller than each side of the image.]`,
      );
    }),
  );
});
