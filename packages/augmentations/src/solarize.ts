import * as tf from '@tensorflow/tfjs-core';
import { checkImages, type PerImage, perImage } from './check.ts';

/**
 * Inverts every value from a threshold on.
 *
 *     output = x >= threshold ? 1 - x : x
 *
 * The threshold is rounded to float32 before the comparison, as in torch. An 8-bit value of exactly 128, which is
 * float32(128 / 255), is therefore inverted at the threshold 128 / 255.
 *
 * @param images - shape [N, H, W, C], float32 in [0, 1].
 * @param threshold - one number or one per image, in [0, 1]; the values of a tensor are not checked.
 * @returns a new tensor of the same shape, which the caller (or the surrounding `tf.tidy`) disposes.
 * @throws RangeError or TypeError if `images` is not a float32 batch, or the thresholds are not one or N numbers in [0, 1].
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core';
 * import { solarize } from '@tfjs-ssl/augmentations';
 * import { startEngine } from '@tfjs-ssl/engine';
 *
 * await startEngine('auto');
 * solarize(tf.tensor4d([0.25, 0.75], [1, 1, 2, 1]), 0.5).print(); // 0.25, 0.25
 * ```
 *
 * @see `torchvision.transforms.functional.solarize`
 */
export function solarize(images: tf.Tensor4D, threshold: PerImage): tf.Tensor4D {
  checkImages('solarize', images);
  return tf.tidy(() => {
    const advice = 'State it in the range of the images: 128 of 255 is 128 / 255.';
    const limit = perImage('solarize', 'threshold', threshold, images, { min: 0, max: 1 }, advice);
    return tf.where(tf.greaterEqual(images, limit), tf.sub(1, images), images);
  });
}
