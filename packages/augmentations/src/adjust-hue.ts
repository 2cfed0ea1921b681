import * as tf from '@tensorflow/tfjs-core';
import { checkImages, type PerImage, perImage } from './check.ts';

/**
 * Shifts the hue of images around the colour circle.
 *
 *     RGB -> HSV,  hue = (hue + shift) mod 1,  HSV -> RGB
 *
 * Gray pixels (largest channel = smallest) have hue and saturation 0 and stay as they are. If two channels are equally large, red
 * counts before green, and green before blue. One-channel images stay as they are.
 *
 * @param images - shape [N, H, W, 3] or [N, H, W, 1], float32 in [0, 1].
 * @param shift - one number or one per image, turns, in [-0.5, 0.5]: 0 gives the image, 0.5 and -0.5 the complementary hues.
 * @returns a new tensor of the same shape, which the caller (or the surrounding `tf.tidy`) disposes.
 * @throws RangeError or TypeError if `images` is not a float32 batch of RGB or one-channel images, or the shifts are not one or N numbers in range.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core';
 * import { adjustHue } from '@tfjs-ssl/augmentations';
 * import { startEngine } from '@tfjs-ssl/engine';
 *
 * await startEngine('auto');
 * adjustHue(tf.tensor4d([1, 0, 0], [1, 1, 1, 3]), 0.5).print(); // red becomes cyan: 0, 1, 1
 * ```
 *
 * @see `torchvision.transforms.functional.adjust_hue`
 */
export function adjustHue(images: tf.Tensor4D, shift: PerImage): tf.Tensor4D {
  checkImages('adjustHue', images, 'colors');
  return tf.tidy(() => {
    const turns = perImage('adjustHue', 'shift', shift, images, { min: -0.5, max: 0.5 });
    if (images.shape[3] === 1) return tf.clone(images);
    const [red, green, blue] = tf.split(images, 3, 3) as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D];
    const value = tf.maximum(tf.maximum(red, green), blue);
    const chroma = tf.sub(value, tf.minimum(tf.minimum(red, green), blue));
    // On gray pixels all differences are 0, whatever they are divided by.
    const divisor = tf.maximum(chroma, 1e-30);
    const slope = (a: tf.Tensor, b: tf.Tensor) => tf.div(tf.sub(a, b), divisor);
    // The hue in sixths of a turn, from -1 to 5.
    const sextant = tf.where(
      tf.equal(value, red),
      slope(green, blue),
      tf.where(tf.equal(value, green), tf.add(slope(blue, red), 2), tf.add(slope(red, green), 4)),
    );
    const shifted = tf.add(sextant, tf.mul(turns, 6));
    // The six cases of HSV -> RGB in one formula; chroma is value times saturation.
    // https://en.wikipedia.org/wiki/HSL_and_HSV#HSV_to_RGB_alternative
    const channel = (offset: number) => {
      const k = tf.mod(tf.add(shifted, offset), 6);
      return tf.sub(value, tf.mul(chroma, tf.clipByValue(tf.minimum(k, tf.sub(4, k)), 0, 1)));
    };
    return tf.concat([channel(5), channel(3), channel(1)], 3) as tf.Tensor4D;
  });
}
