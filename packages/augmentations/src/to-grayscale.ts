import * as tf from '@tensorflow/tfjs-core';
import { checkImages } from './check.ts';

/**
 * Brightness of every pixel, shape [N, H, W, 1]: 0.2989 R + 0.587 G + 0.114 B (torchvision's weights, which sum to 0.9999).
 *
 * Not a matrix product on purpose: some GPUs would do that in a shorter float.
 */
export function luminance(images: tf.Tensor4D): tf.Tensor4D {
  return tf.tidy(() => tf.sum(tf.mul(images, tf.tensor1d([0.2989, 0.587, 0.114])), 3, true));
}

/**
 * Turns images gray, in three equal channels.
 *
 *     output = 0.2989 R + 0.587 G + 0.114 B
 *
 * @param images - shape [N, H, W, 3], float32 in [0, 1].
 * @returns a new tensor of the same shape, which the caller (or the surrounding `tf.tidy`) disposes.
 * @throws RangeError or TypeError where `images` is not a float32 batch of RGB images.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core';
 * import { toGrayscale } from '@tfjs-ssl/augmentations';
 * import { useEngine } from '@tfjs-ssl/engine';
 *
 * await useEngine('auto');
 * toGrayscale(tf.tensor4d([1, 0, 0], [1, 1, 1, 3])).print(); // 0.2989, 0.2989, 0.2989
 * ```
 *
 * @see `torchvision.transforms.functional.rgb_to_grayscale` with `num_output_channels=3`
 */
export function toGrayscale(images: tf.Tensor4D): tf.Tensor4D {
  checkImages('toGrayscale', images, 3);
  return tf.tidy(() => tf.tile(luminance(images), [1, 1, 1, 3]));
}
