import { checkNumber } from '@tfjs-ssl/checks';
import { solarize } from './solarize.ts';
import { defineTransform, type Transform } from './transform.ts';

/** Options of {@link randomSolarize}. */
export interface RandomSolarizeOptions {
  /** Values from here on are inverted, in [0, 1] as the images. Default: 128 / 255. */
  readonly threshold?: number;
  /** Probability. Default: 0.5, as torchvision's; the solarized SimCLR of the paper takes 0.2. */
  readonly p?: number;
}

/**
 * Inverts the bright values of an image with a probability.
 *
 * @param options - see {@link RandomSolarizeOptions}.
 * @returns the transform; columns `applied`, `threshold`.
 * @throws RangeError if `p` or the threshold is not in [0, 1].
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core';
 * import { randomSolarize } from '@tfjs-ssl/augmentations';
 * import { startEngine } from '@tfjs-ssl/engine';
 *
 * await startEngine('auto');
 * const transform = randomSolarize({ threshold: 128 / 255, p: 0.2 });
 * transform.apply(tf.tensor4d([0.25, 0.75], [1, 1, 2, 1]), [{ applied: 1, threshold: 0.5 }]).print(); // 0.25, 0.25
 * ```
 *
 * @see `torchvision.transforms.RandomSolarize`
 */
export function randomSolarize(options: RandomSolarizeOptions = {}): Transform {
  const { threshold = 128 / 255, p = 0.5 } = options;
  checkNumber(
    'randomSolarize',
    'threshold',
    threshold,
    { min: 0, max: 1 },
    'State it in the range of the images: 128 of 255 is 128 / 255.',
  );
  return defineTransform({
    name: 'randomSolarize',
    columns: ['threshold'],
    probability: p,
    neutral: { threshold },
    stages: [{ kind: 'solarize' }],
    draw: () => ({ threshold }),
    apply: (images, { threshold: thresholds }) => solarize(images, thresholds),
  });
}
