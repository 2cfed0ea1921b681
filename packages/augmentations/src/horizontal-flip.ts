import * as tf from '@tensorflow/tfjs-core';
import { checkImages } from './check.ts';

/**
 * Mirrors images left to right.
 *
 *     output[n, y, x] = images[n, y, W - 1 - x]
 *
 * @param images - shape [N, H, W, C], float32.
 * @returns a new tensor of the same shape, which the caller (or the surrounding `tf.tidy`) disposes.
 * @throws RangeError or TypeError if `images` is not a float32 batch of images.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core';
 * import { horizontalFlip } from '@tfjs-ssl/augmentations';
 * import { startEngine } from '@tfjs-ssl/engine';
 *
 * await startEngine('auto');
 * horizontalFlip(tf.tensor4d([1, 2, 3], [1, 1, 3, 1])).print(); // 3, 2, 1
 * ```
 *
 * @see `torchvision.transforms.functional.hflip`
 */
export function horizontalFlip(images: tf.Tensor4D): tf.Tensor4D {
  checkImages('horizontalFlip', images);
  return tf.reverse(images, 2);
}
