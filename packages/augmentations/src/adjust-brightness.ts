import * as tf from '@tensorflow/tfjs-core';
import { blend } from './blend.ts';
import { checkImages, type PerImage, perImage } from './check.ts';

/**
 * Makes images darker or brighter.
 *
 *     output = clamp(factor x, 0, 1)
 *
 * @param images - shape [N, H, W, C], float32 in [0, 1].
 * @param factor - one number or one per image, at least 0: 0 gives black, 1 the image, 2 twice its brightness.
 * @returns a new tensor of the same shape, which the caller (or the surrounding `tf.tidy`) disposes.
 * @throws RangeError or TypeError if `images` is not a float32 batch, or the factors are not one or N numbers of at least 0.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core';
 * import { adjustBrightness } from '@tfjs-ssl/augmentations';
 * import { startEngine } from '@tfjs-ssl/engine';
 *
 * await startEngine('auto');
 * adjustBrightness(tf.tensor4d([0.25, 0.75], [1, 1, 2, 1]), 2).print(); // 0.5, 1
 * ```
 *
 * @see `torchvision.transforms.functional.adjust_brightness`
 */
export function adjustBrightness(images: tf.Tensor4D, factor: PerImage): tf.Tensor4D {
  checkImages('adjustBrightness', images);
  return tf.tidy(() => blend(images, 0, perImage('adjustBrightness', 'factor', factor, images, { min: 0 })));
}
