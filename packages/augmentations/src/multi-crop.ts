import { checkNumber } from '@tfjs-ssl/checks';
import type { Chain } from './compose.ts';
import { byolJitter, methodChain } from './method-chain.ts';
import type { NormalizeOptions } from './normalize.ts';

/** Options of {@link swavChains} and {@link dinoChains}. */
export interface MultiCropOptions {
  /** Side of a large view, pixels. Default: 64. */
  readonly size?: number;
  /** Side of a small view, pixels. Default: 32. The papers take 96 beside 224. */
  readonly smallSize?: number;
  /** Small views of each image. Default: 6 of SwAV, 8 of DINO. */
  readonly smallViews?: number;
  /** Smallest and largest area of a large crop, fractions of the image's area. Default: [0.14, 1] of SwAV, [0.4, 1] of DINO. */
  readonly cropScale?: readonly [number, number];
  /** Smallest and largest area of a small crop. Default: [0.05, 0.14] of SwAV, [0.05, 0.4] of DINO. */
  readonly smallCropScale?: readonly [number, number];
  /** Mean and standard deviation per channel. Default: none, the views stay in [0, 1]. */
  readonly normalize?: NormalizeOptions;
}

/** The chains of multi-crop: two views of a large part of an image, and more views of small parts at fewer pixels. */
export type MultiCropChains = {
  /** Of views 0 and 1. */
  readonly large: readonly [Chain, Chain];
  /** Of the views after them. */
  readonly small: readonly Chain[];
};

const simclrJitter = { brightness: 0.8, contrast: 0.8, saturation: 0.8, hue: 0.2 };

/**
 * The chains of the SwAV paper: two large crops and six small ones.
 *
 * All have: flip p 0.5; colour jitter (brightness, contrast, saturation 0.8, hue 0.2) p 0.8; gray p 0.2; blur p 0.5. Large crops cover 0.14 to 1 of the
 * image, small ones 0.05 to 0.14.
 *
 * @param options - see {@link MultiCropOptions}.
 * @returns the chains of both groups, for {@link viewPlan} or the `chain` of a feed.
 * @throws RangeError if an option is out of its range.
 *
 * @example
 * ```ts
 * import { swavChains, viewPlan } from '@tfjs-ssl/augmentations';
 *
 * const plan = viewPlan(swavChains({ size: 64, smallSize: 32 }));
 * console.log(plan.views, plan.outputSize(96)); // 8 { large: [64, 64], small: [32, 32] }
 * ```
 *
 * @see Caron et al. 2020, "Unsupervised Learning of Visual Features by Contrasting Cluster Assignments", section 3.2 and appendix A; the numbers are
 * those of facebookresearch/swav.
 */
export function swavChains(options: MultiCropOptions = {}): MultiCropChains {
  const { size, smallSize, smallViews, normalize } = sizes('swavChains', options, 6);
  const { cropScale = [0.14, 1], smallCropScale = [0.05, 0.14] } = options;
  const common = { jitter: simclrJitter, blurProbability: 0.5, normalize };
  const large = methodChain({ ...common, size, cropScale });
  const small = methodChain({ ...common, size: smallSize, cropScale: smallCropScale });
  return { large: [large, large], small: new Array<Chain>(smallViews).fill(small) };
}

/**
 * The chains of the DINO paper: two large crops, which differ in blur and solarization as those of BYOL, and eight small ones.
 *
 * All have: flip p 0.5; colour jitter (brightness 0.4, contrast 0.4, saturation 0.2, hue 0.1) p 0.8; gray p 0.2. The first large view is
 * always blurred; the second is blurred with p 0.1 and then solarized (from 0.5 on) with p 0.2; small ones are blurred with p 0.5. Large crops cover 0.4 to 1 of the
 * image, small ones 0.05 to 0.4.
 *
 * The paper's crop is bicubic, this one is bilinear.
 *
 * @param options - see {@link MultiCropOptions}.
 * @returns the chains of both groups, for {@link viewPlan} or the `chain` of a feed.
 * @throws RangeError if an option is out of its range.
 *
 * @example
 * ```ts
 * import { dinoChains, viewPlan } from '@tfjs-ssl/augmentations';
 *
 * const plan = viewPlan(dinoChains({ size: 64, smallSize: 32, smallViews: 4 }));
 * console.log(plan.views); // 6
 * ```
 *
 * @see Caron et al. 2021, "Emerging Properties in Self-Supervised Vision Transformers", section 3.1 and appendix C; the numbers are the defaults of
 * facebookresearch/dino.
 */
export function dinoChains(options: MultiCropOptions = {}): MultiCropChains {
  const { size, smallSize, smallViews, normalize } = sizes('dinoChains', options, 8);
  const { cropScale = [0.4, 1], smallCropScale = [0.05, 0.4] } = options;
  const common = { jitter: byolJitter, normalize };
  const large = { ...common, size, cropScale };
  const small = methodChain({ ...common, size: smallSize, cropScale: smallCropScale, blurProbability: 0.5 });
  return {
    large: [
      methodChain({ ...large, blurProbability: 1 }),
      methodChain({ ...large, blurProbability: 0.1, solarizeProbability: 0.2 }),
    ],
    small: new Array<Chain>(smallViews).fill(small),
  };
}

function sizes(fn: string, options: MultiCropOptions, views: number) {
  const { size = 64, smallSize = 32, smallViews = views, normalize } = options;
  checkNumber(
    fn,
    'smallViews',
    smallViews,
    { min: 1, integer: true },
    'For large views alone, pass `large` as a list.',
  );
  return { size, smallSize, smallViews, normalize };
}
