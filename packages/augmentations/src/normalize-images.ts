import { checkNormalize, type NormalizeOptions, normalize } from './normalize.ts';
import { defineTransform, type Transform } from './transform.ts';

/**
 * {@link normalize} as a stage of a chain of RGB images: always applied, nothing drawn.
 *
 * @param options - three means and three standard deviations, see {@link NormalizeOptions}.
 * @returns the transform; its one column is `applied`.
 * @throws RangeError if there are not three each, or a standard deviation is not above 0.
 *
 * @example
 * ```ts
 * import { compose, normalizeImages, randomHorizontalFlip } from '@tfjs-ssl/augmentations';
 *
 * const imagenet = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };
 * console.log(compose([randomHorizontalFlip(), normalizeImages(imagenet)]).columns);
 * ```
 *
 * @see `torchvision.transforms.Normalize`
 */
export function normalizeImages(options: NormalizeOptions): Transform {
  checkNormalize('normalizeImages', options, 3);
  const { mean, std } = options;
  return defineTransform({
    name: 'normalizeImages',
    columns: [],
    probability: 1,
    neutral: {},
    stages: [{ kind: 'normalize', mean: [...mean], std: [...std] }],
    draw: () => ({}),
    apply: (images) => normalize(images, { mean, std }),
  });
}
