import { type ColorJitterOptions, colorJitter } from './color-jitter.ts';
import { type Chain, compose } from './compose.ts';
import type { NormalizeOptions } from './normalize.ts';
import { normalizeImages } from './normalize-images.ts';
import { blurKernelSize } from './presets.ts';
import { randomApply } from './random-apply.ts';
import { randomGaussianBlur } from './random-gaussian-blur.ts';
import { randomGrayscale } from './random-grayscale.ts';
import { randomHorizontalFlip } from './random-horizontal-flip.ts';
import { randomResizedCrop } from './random-resized-crop.ts';
import { randomSolarize } from './random-solarize.ts';

/** The colours of BYOL, which Barlow Twins, VICReg and DINO have taken over. */
export const byolJitter: ColorJitterOptions = { brightness: 0.4, contrast: 0.4, saturation: 0.2, hue: 0.1 };

/** What differs from method to method. */
export interface MethodChainOptions {
  readonly size: number;
  readonly cropScale: readonly [number, number];
  readonly jitter: ColorJitterOptions;
  readonly blurProbability: number;
  readonly solarizeProbability?: number;
  readonly normalize: NormalizeOptions | undefined;
}

/** Crop; flip p 0.5; jitter p 0.8; gray p 0.2; blur; solarization: the chain that the methods after SimCLR share. */
export function methodChain(options: MethodChainOptions): Chain {
  const { size, cropScale, jitter, blurProbability, solarizeProbability = 0, normalize } = options;
  return compose([
    randomResizedCrop({ size, scale: cropScale }),
    randomHorizontalFlip(),
    randomApply(colorJitter(jitter), { p: 0.8 }),
    randomGrayscale({ p: 0.2 }),
    ...(blurProbability > 0 ? [randomGaussianBlur({ kernelSize: blurKernelSize(size), p: blurProbability })] : []),
    ...(solarizeProbability > 0 ? [randomSolarize({ threshold: 0.5, p: solarizeProbability })] : []),
    ...(normalize ? [normalizeImages(normalize)] : []),
  ]);
}
