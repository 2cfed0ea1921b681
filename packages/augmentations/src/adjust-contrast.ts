import * as tf from '@tensorflow/tfjs-core';
import { blend } from './blend.ts';
import { checkImages, type PerImage, perImage } from './check.ts';
import { luminance } from './to-grayscale.ts';

/**
 * Lowers or raises contrast around the mean brightness of each image. In one-channel images, the brightness is that channel.
 *
 *     output = clamp(factor x + (1 - factor) mean(gray(x)), 0, 1)
 *
 * @param images - shape [N, H, W, 3] or [N, H, W, 1], float32 in [0, 1].
 * @param factor - one number or one per image, at least 0: 0 gives an even gray, 1 the image, 2 twice its contrast.
 * @returns a new tensor of the same shape, which the caller (or the surrounding `tf.tidy`) disposes.
 * @throws RangeError or TypeError if `images` is not a float32 batch of RGB or one-channel images, or the factors are not one or N numbers of at least 0.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core';
 * import { adjustContrast } from '@tfjs-ssl/augmentations';
 * import { startEngine } from '@tfjs-ssl/engine';
 *
 * await startEngine('auto');
 * adjustContrast(tf.tensor4d([0.2, 0.2, 0.2, 0.6, 0.6, 0.6], [1, 1, 2, 3]), 0).print(); // 0.4 everywhere
 * ```
 *
 * @see `torchvision.transforms.functional.adjust_contrast`
 */
export function adjustContrast(images: tf.Tensor4D, factor: PerImage): tf.Tensor4D {
  checkImages('adjustContrast', images, 'colors');
  return tf.tidy(() => {
    const factors = perImage('adjustContrast', 'factor', factor, images, { min: 0 });
    return blend(images, tf.mean(luminance(images), [1, 2, 3], true), factors);
  });
}
