import { horizontalFlip } from './horizontal-flip.ts';
import { defineTransform, type Transform } from './transform.ts';

/** Options of {@link randomHorizontalFlip}. */
export interface RandomHorizontalFlipOptions {
  /** Probability of a flip. Default: 0.5. */
  readonly p?: number;
}

/**
 * Mirrors an image left to right with a probability.
 *
 * @param options - see {@link RandomHorizontalFlipOptions}.
 * @returns the transform; its one column is `applied`.
 * @throws RangeError if `p` is not in [0, 1].
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core';
 * import { imageRng, randomHorizontalFlip } from '@tfjs-ssl/augmentations';
 * import { startEngine } from '@tfjs-ssl/engine';
 *
 * await startEngine('auto');
 * const flip = randomHorizontalFlip();
 * const drawn = flip.sample(imageRng({ seed: 0, epoch: 0, image: 0, view: 0 }), [1, 3]);
 * flip.apply(tf.tensor4d([1, 2, 3], [1, 1, 3, 1]), [drawn]).print();
 * ```
 *
 * @see `torchvision.transforms.RandomHorizontalFlip`
 */
export function randomHorizontalFlip(options: RandomHorizontalFlipOptions = {}): Transform {
  return defineTransform({
    name: 'randomHorizontalFlip',
    columns: [],
    probability: options.p ?? 0.5,
    neutral: {},
    stages: [{ kind: 'horizontalFlip' }],
    draw: () => ({}),
    apply: (images) => horizontalFlip(images),
  });
}
