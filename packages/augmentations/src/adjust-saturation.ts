import * as tf from '@tensorflow/tfjs-core';
import { blend } from './blend.ts';
import { checkImages, type PerImage, perImage } from './check.ts';
import { luminance } from './to-grayscale.ts';

/**
 * Makes images paler or more colourful.
 *
 *     output = clamp(factor x + (1 - factor) gray(x), 0, 1)
 *
 * Images of one channel stay as they are.
 *
 * @param images - shape [N, H, W, 3] or [N, H, W, 1], float32 in [0, 1].
 * @param factor - one number or one per image, at least 0: 0 gives the gray image, 1 the image, 2 twice its saturation.
 * @returns a new tensor of the same shape, which the caller (or the surrounding `tf.tidy`) disposes.
 * @throws RangeError or TypeError if `images` is not a float32 batch of RGB or one-channel images, or the factors are not one or N numbers of at least 0.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core';
 * import { adjustSaturation } from '@tfjs-ssl/augmentations';
 * import { startEngine } from '@tfjs-ssl/engine';
 *
 * await startEngine('auto');
 * adjustSaturation(tf.tensor4d([1, 0, 0], [1, 1, 1, 3]), 0.5).print(); // 0.64945, 0.14945, 0.14945
 * ```
 *
 * @see `torchvision.transforms.functional.adjust_saturation`
 */
export function adjustSaturation(images: tf.Tensor4D, factor: PerImage): tf.Tensor4D {
  checkImages('adjustSaturation', images, 'colors');
  return tf.tidy(() => {
    const factors = perImage('adjustSaturation', 'factor', factor, images, { min: 0 });
    return images.shape[3] === 1 ? tf.clone(images) : blend(images, luminance(images), factors);
  });
}
