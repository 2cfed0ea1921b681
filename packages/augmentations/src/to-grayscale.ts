import * as tf from '@tensorflow/tfjs-core';
import { checkImages } from './check.ts';

/**
 * Brightness of every pixel, shape [N, H, W, 1]: 0.2989 R + 0.587 G + 0.114 B (torchvision's weights, which sum to 0.9999);
 * of one-channel images that channel.
 *
 * Not a matrix product on purpose: some GPUs would do that in a shorter float.
 */
export function luminance(images: tf.Tensor4D): tf.Tensor4D {
  if (images.shape[3] === 1) return tf.clone(images);
  return tf.tidy(() => tf.sum(tf.mul(images, tf.tensor1d([0.2989, 0.587, 0.114])), 3, true));
}

/**
 * Turns images gray, in three equal channels. Images of one channel stay as they are.
 *
 *     output = 0.2989 R + 0.587 G + 0.114 B
 *
 * @param images - shape [N, H, W, 3] or [N, H, W, 1], float32 in [0, 1].
 * @returns a new tensor of the same shape, which the caller (or the surrounding `tf.tidy`) disposes.
 * @throws RangeError or TypeError if `images` is not a float32 batch of RGB or one-channel images.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core';
 * import { toGrayscale } from '@tfjs-ssl/augmentations';
 * import { startEngine } from '@tfjs-ssl/engine';
 *
 * await startEngine('auto');
 * toGrayscale(tf.tensor4d([1, 0, 0], [1, 1, 1, 3])).print(); // 0.2989, 0.2989, 0.2989
 * ```
 *
 * @see `torchvision.transforms.functional.rgb_to_grayscale` with as many output channels as there are in the images
 */
export function toGrayscale(images: tf.Tensor4D): tf.Tensor4D {
  checkImages('toGrayscale', images, 'colors');
  return tf.tidy(() => tf.tile(luminance(images), [1, 1, 1, images.shape[3]]));
}
