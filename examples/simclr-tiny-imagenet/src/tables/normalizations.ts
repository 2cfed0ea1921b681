import type { NormalizeOptions } from '@tfjs-ssl/augmentations';

/** How images are normalised before the encoder, by name: to add one, add its line. */
export const normalizations = {
  /** Images stay in [0, 1]. */
  none: null,
  /** ImageNet's mean and standard deviation, which torchvision's weights expect. */
  imagenet: { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
  /** To [-1, 1]. */
  half: { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] },
} as const satisfies Record<string, NormalizeOptions | null>;
