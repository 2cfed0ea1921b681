import * as tf from '@tensorflow/tfjs-core';
import { argumentError, checkNumber } from '@tfjs-ssl/checks';
import { checkImages } from './check.ts';

/** Options of {@link normalize} and `normalizeImages`. */
export interface NormalizeOptions {
  /** Mean of every channel, in [0, 1] as the images. */
  readonly mean: readonly number[];
  /** Standard deviation of every channel, above 0. */
  readonly std: readonly number[];
}

/** Throws if mean and standard deviation are not as many positive or finite numbers as they should be. */
export function checkNormalize(fn: string, { mean, std }: NormalizeOptions, channels: number): void {
  for (const [argument, { length }] of Object.entries({ mean, std })) {
    if (length === channels) continue;
    const required = `hold ${channels} numbers, one per channel`;
    throw argumentError({ fn, argument, required, got: length, advice: 'Pass one number per channel of the images.' });
  }
  const advice = 'State it in the range of the images, [0, 1]: divide numbers for images of 0 to 255 by 255.';
  for (const value of mean) checkNumber(fn, 'mean', value, { min: 0, max: 1 }, advice);
  for (const value of std) checkNumber(fn, 'std', value, { above: 0 }, advice);
}

/**
 * Subtracts the mean of each channel and divides by its standard deviation.
 *
 *     output = (x - mean[c]) / std[c]
 *
 * @param images - shape [N, H, W, C], float32.
 * @param options - see {@link NormalizeOptions}.
 * @returns a new tensor of the same shape, which the caller (or the surrounding `tf.tidy`) disposes.
 * @throws RangeError or TypeError if `images` is not a float32 batch, or mean and std are not one number per channel.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core';
 * import { normalize } from '@tfjs-ssl/augmentations';
 * import { startEngine } from '@tfjs-ssl/engine';
 *
 * await startEngine('auto');
 * normalize(tf.ones([1, 1, 1, 3]), { mean: [0.5, 0.5, 0.5], std: [0.5, 0.25, 0.5] }).print(); // 1, 2, 1
 * ```
 *
 * @see `torchvision.transforms.functional.normalize`
 */
export function normalize(images: tf.Tensor4D, options: NormalizeOptions): tf.Tensor4D {
  checkImages('normalize', images);
  checkNormalize('normalize', options, images.shape[3]);
  return tf.tidy(() => tf.div(tf.sub(images, tf.tensor1d([...options.mean])), tf.tensor1d([...options.std])));
}
