import * as tf from '@tensorflow/tfjs-core';
import { argumentError, checkNumber, showValue } from '@tfjs-ssl/checks';
import { checkImages, type PerImage, perImage } from './check.ts';

/** Options of {@link gaussianBlur}. */
export interface GaussianBlurOptions {
  /** Taps per direction, odd. The kernel's radius must be smaller than each side of the image. */
  readonly kernelSize: number;
  /** Standard deviation, pixels, above 0; one number or one per image. */
  readonly sigma: PerImage;
}

/** Throws if a kernel size is not an odd number. */
export function checkKernelSize(fn: string, kernelSize: number): void {
  const advice = 'The kernel has a tap in the middle.';
  checkNumber(fn, 'kernelSize', kernelSize, { min: 1, integer: true }, advice);
  if (kernelSize % 2 === 0)
    throw argumentError({ fn, argument: 'kernelSize', required: 'be odd', got: kernelSize, advice });
}

/**
 * Blurs images with a Gaussian kernel, one direction after the other. Borders are mirrored without repeating the edge pixel.
 *
 *     output[y, x] = sum_{i, j = -r..r} k[i] k[j] x[y + i, x + j],   k[i] = exp(-i^2 / (2 sigma^2)) / sum k,   r = (kernelSize - 1) / 2
 *
 * @param images - shape [N, H, W, C], float32.
 * @param options - see {@link GaussianBlurOptions}.
 * @returns a new tensor of the same shape, which the caller (or the surrounding `tf.tidy`) disposes.
 * @throws RangeError or TypeError if `images` is not a float32 batch, the kernel is even or too large for the images, or the
 * sigmas are not one or N numbers above 0.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core';
 * import { gaussianBlur } from '@tfjs-ssl/augmentations';
 * import { startEngine } from '@tfjs-ssl/engine';
 *
 * await startEngine('auto');
 * const blurred = gaussianBlur(tf.randomUniform([2, 8, 8, 3]), { kernelSize: 5, sigma: [0.5, 2] });
 * console.log(blurred.shape); // [2, 8, 8, 3]
 * ```
 *
 * @see `torchvision.transforms.functional.gaussian_blur`
 */
export function gaussianBlur(images: tf.Tensor4D, options: GaussianBlurOptions): tf.Tensor4D {
  const { kernelSize, sigma } = options;
  checkImages('gaussianBlur', images);
  checkKernelSize('gaussianBlur', kernelSize);
  const radius = (kernelSize - 1) / 2;
  const shortest = Math.min(images.shape[1], images.shape[2]);
  if (radius >= shortest) {
    throw argumentError({
      fn: 'gaussianBlur',
      argument: 'kernelSize',
      required: `be at most ${2 * shortest - 1} for images of shape ${showValue(images.shape)}`,
      got: kernelSize,
      advice: "The kernel's radius must be smaller than each side of the image.",
    });
  }
  return tf.tidy(() => {
    const sigmas = perImage('gaussianBlur', 'sigma', sigma, images, { above: 0 });
    const weights = Array.from({ length: kernelSize }, (_, tap) =>
      tf.exp(tf.mul(tf.square(tf.div(tap - radius, sigmas)), -0.5)),
    );
    const total = tf.addN(weights);
    const kernel = weights.map((weight) => tf.div(weight, total));
    return alongAxis(alongAxis(images, 1, kernel), 2, kernel);
  });
}

/** Weighted sum of the images shifted along an axis, by one tap after the other. */
function alongAxis(images: tf.Tensor4D, axis: 1 | 2, kernel: readonly tf.Tensor[]): tf.Tensor4D {
  const radius = (kernel.length - 1) / 2;
  const paddings: Array<[number, number]> = [0, 1, 2, 3].map((a) => (a === axis ? [radius, radius] : [0, 0]));
  const padded = radius === 0 ? images : tf.mirrorPad(images, paddings, 'reflect');
  const shifted = (tap: number) => tf.slice(padded, axis === 1 ? [0, tap] : [0, 0, tap], [...images.shape]);
  return tf.addN(kernel.map((weight, tap) => tf.mul(shifted(tap), weight)));
}
