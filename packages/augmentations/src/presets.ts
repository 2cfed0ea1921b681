import { colorJitter } from './color-jitter.ts';
import { type Chain, compose } from './compose.ts';
import type { NormalizeOptions } from './normalize.ts';
import { normalizeImages } from './normalize-images.ts';
import { randomApply } from './random-apply.ts';
import { randomGaussianBlur } from './random-gaussian-blur.ts';
import { randomGrayscale } from './random-grayscale.ts';
import { randomHorizontalFlip } from './random-horizontal-flip.ts';
import { randomResizedCrop } from './random-resized-crop.ts';
import { randomSolarize } from './random-solarize.ts';
import type { Transform } from './transform.ts';

/** Options of {@link simclrChain}. A probability of 0 leaves a transform out. */
export interface SimclrChainOptions {
  /** Side of a view, pixels. Default: 64. */
  readonly size?: number;
  /** Smallest and largest area of a crop, fractions of the image's area. Default: [0.08, 1]. */
  readonly cropScale?: readonly [number, number];
  /** Smallest and largest ratio of a crop's width to its height. Default: [3/4, 4/3]. */
  readonly cropRatio?: readonly [number, number];
  /** Whether to widen the crop's filter when it shrinks the image. Default: true. */
  readonly antialias?: boolean;
  /** Probability. Default: 0.5. */
  readonly flipProbability?: number;
  /** Probability of a solarization after the flip. Default: 0, as in the SimCLR paper. */
  readonly solarizeProbability?: number;
  /** In the range of the images. Default: 128 / 255. */
  readonly solarizeThreshold?: number;
  /** Strength s of the colour jitter: brightness, contrast, saturation 0.8 s, hue 0.2 s. Default: 1. */
  readonly strength?: number;
  /** Probability. Default: 0.8. */
  readonly jitterProbability?: number;
  /** Probability. Default: 0.2. */
  readonly grayscaleProbability?: number;
  /** Probability. Default: 0.5. */
  readonly blurProbability?: number;
  /** Smallest and largest standard deviation, pixels. Default: [0.1, 2]. */
  readonly blurSigma?: readonly [number, number];
  /** Mean and standard deviation per channel. Default: none, the views stay in [0, 1]. */
  readonly normalize?: NormalizeOptions;
}

/**
 * The chain of the SimCLR paper: resized crop; flip p 0.5; colour jitter of strength s, p 0.8; gray p 0.2; blur p 0.5.
 *
 * @param options - see {@link SimclrChainOptions}; the paper takes strength 1 on ImageNet, 0.5 on CIFAR-10 (there without blur).
 * @returns the chain.
 * @throws RangeError if an option is out of its range.
 *
 * @example
 * ```ts
 * import { simclrChain } from '@tfjs-ssl/augmentations';
 *
 * const cifar = simclrChain({ size: 32, strength: 0.5, blurProbability: 0 });
 * console.log(cifar.columns.length);
 * ```
 *
 * @see Chen et al., "A Simple Framework for Contrastive Learning of Visual Representations" (2020), appendix A
 */
export function simclrChain(options: SimclrChainOptions = {}): Chain {
  const { size = 64, strength = 1, flipProbability = 0.5, jitterProbability = 0.8 } = options;
  const { grayscaleProbability = 0.2, solarizeProbability = 0, blurProbability = 0.5 } = options;
  const { solarizeThreshold: threshold = 128 / 255 } = options;
  const { cropScale = [0.08, 1], cropRatio = [3 / 4, 4 / 3], antialias = true, blurSigma = [0.1, 2] } = options;
  const jitter = colorJitter({
    brightness: 0.8 * strength,
    contrast: 0.8 * strength,
    saturation: 0.8 * strength,
    hue: 0.2 * strength,
  });
  const optional: Array<[probability: number, transform: Transform]> = [
    [flipProbability, randomHorizontalFlip({ p: flipProbability })],
    [solarizeProbability, randomSolarize({ threshold, p: solarizeProbability })],
    [jitterProbability, randomApply(jitter, { p: jitterProbability })],
    [grayscaleProbability, randomGrayscale({ p: grayscaleProbability })],
    [blurProbability, randomGaussianBlur({ kernelSize: blurKernelSize(size), sigma: blurSigma, p: blurProbability })],
  ];
  return compose([
    randomResizedCrop({ size, scale: cropScale, ratio: cropRatio, antialias }),
    ...optional.filter(([probability]) => probability > 0).map(([, transform]) => transform),
    ...(options.normalize ? [normalizeImages(options.normalize)] : []),
  ]);
}

/** A tenth of the side, made odd: 3 taps at 32 pixels, 7 at 64, 9 at 96, 23 at 224. */
export function blurKernelSize(size: number): number {
  return 2 * Math.floor(Math.trunc(0.1 * size) / 2) + 1;
}
