import { toGrayscale } from './to-grayscale.ts';
import { defineTransform, type Transform } from './transform.ts';

/** Options of {@link randomGrayscale}. */
export interface RandomGrayscaleOptions {
  /** Probability of a gray image. Default: 0.1, as torchvision's; SimCLR takes 0.2. */
  readonly p?: number;
}

/**
 * Turns an image gray, in three equal channels, with a probability. A one-channel image stays as it is.
 *
 * @param options - see {@link RandomGrayscaleOptions}.
 * @returns the transform; its one column is `applied`.
 * @throws RangeError if `p` is not in [0, 1].
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core';
 * import { randomGrayscale } from '@tfjs-ssl/augmentations';
 * import { startEngine } from '@tfjs-ssl/engine';
 *
 * await startEngine('auto');
 * randomGrayscale({ p: 0.2 }).apply(tf.tensor4d([1, 0, 0], [1, 1, 1, 3]), [{ applied: 1 }]).print(); // 0.2989 three times
 * ```
 *
 * @see `torchvision.transforms.RandomGrayscale`
 */
export function randomGrayscale(options: RandomGrayscaleOptions = {}): Transform {
  return defineTransform({
    name: 'randomGrayscale',
    columns: [],
    probability: options.p ?? 0.1,
    neutral: {},
    stages: [{ kind: 'grayscale' }],
    draw: () => ({}),
    apply: (images) => toGrayscale(images),
  });
}
