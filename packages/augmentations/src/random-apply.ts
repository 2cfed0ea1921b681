import { argumentError } from '@tfjs-ssl/checks';
import { checkProbability } from './check.ts';
import type { Transform } from './transform.ts';

/** Options of {@link randomApply}. */
export interface RandomApplyOptions {
  /** Probability, in [0, 1]. If the transform has a probability of its own, both must hold. */
  readonly p: number;
}

/**
 * Applies a transform, or a whole chain, with a probability; otherwise the image stays as it is.
 *
 * @param transform - what to apply; it must keep the size of an image.
 * @param options - the probability.
 * @returns a transform with the columns of the one given.
 * @throws RangeError if `p` is not in [0, 1] or the transform changes the size.
 *
 * @example
 * ```ts
 * import { colorJitter, randomApply } from '@tfjs-ssl/augmentations';
 *
 * const jitter = randomApply(colorJitter({ brightness: 0.8, contrast: 0.8, saturation: 0.8, hue: 0.2 }), { p: 0.8 });
 * console.log(jitter.columns[0]); // 'applied'
 * ```
 *
 * @see `torchvision.transforms.RandomApply`
 */
export function randomApply(transform: Transform, { p }: RandomApplyOptions): Transform {
  checkProbability('randomApply', p);
  const { name, columns, skipped, stages } = transform;
  if (skipped === null) {
    throw argumentError({
      fn: 'randomApply',
      argument: 'transform',
      required: 'keep the size of an image',
      got: name,
      shown: `${name}, which changes it`,
      advice: 'Apply it to every image.',
    });
  }
  return {
    name,
    columns,
    skipped,
    stages,
    sample: (rng, size) => (rng() < p ? transform.sample(rng, size) : skipped),
    apply: (images, parameters) => transform.apply(images, parameters),
    outputSize: (size) => transform.outputSize(size),
  };
}
