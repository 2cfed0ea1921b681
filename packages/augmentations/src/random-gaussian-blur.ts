import { checkInterval } from './check.ts';
import { checkKernelSize, gaussianBlur } from './gaussian-blur.ts';
import { defineTransform, type Transform } from './transform.ts';
import { uniform } from './uniform.ts';

/** Options of {@link randomGaussianBlur}. */
export interface RandomGaussianBlurOptions {
  /** Taps per direction, odd. SimCLR takes a tenth of the image's side. */
  readonly kernelSize: number;
  /** Smallest and largest standard deviation, pixels; uniform between them. Default: [0.1, 2]. */
  readonly sigma?: readonly [number, number];
  /** Probability. Default: 1, as torchvision's; the SimCLR paper takes 0.5. */
  readonly p?: number;
}

/**
 * Blurs an image with a Gaussian of random width, with a probability.
 *
 * @param options - see {@link RandomGaussianBlurOptions}.
 * @returns the transform; columns `applied`, `sigma`.
 * @throws RangeError if the kernel size is even, a sigma not above 0, or `p` not in [0, 1].
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core';
 * import { randomGaussianBlur } from '@tfjs-ssl/augmentations';
 * import { startEngine } from '@tfjs-ssl/engine';
 *
 * await startEngine('auto');
 * const transform = randomGaussianBlur({ kernelSize: 7, p: 0.5 });
 * console.log(transform.apply(tf.ones([1, 8, 8, 3]), [{ applied: 1, sigma: 1.5 }]).shape); // [1, 8, 8, 3]
 * ```
 *
 * @see `torchvision.transforms.GaussianBlur`
 */
export function randomGaussianBlur(options: RandomGaussianBlurOptions): Transform {
  const { kernelSize, sigma = [0.1, 2], p = 1 } = options;
  checkKernelSize('randomGaussianBlur', kernelSize);
  checkInterval('randomGaussianBlur', 'sigma', sigma, { above: 0 });
  return defineTransform({
    name: 'randomGaussianBlur',
    columns: ['sigma'],
    probability: p,
    neutral: { sigma: 1 },
    stages: [{ kind: 'gaussianBlur', kernelSize }],
    draw: (rng) => ({ sigma: uniform(rng, sigma) }),
    apply: (images, { sigma: sigmas }) => gaussianBlur(images, { kernelSize, sigma: sigmas }),
  });
}
