import type { Chain } from './compose.ts';
import { byolJitter, methodChain } from './method-chain.ts';
import type { NormalizeOptions } from './normalize.ts';

/** Options of {@link byolChains}. */
export interface BYOLChainsOptions {
  /** Side of a view, pixels. Default: 64. */
  readonly size?: number;
  /** Smallest and largest area of a crop, fractions of the image's area. Default: [0.08, 1]. */
  readonly cropScale?: readonly [number, number];
  /** Mean and standard deviation per channel. Default: none, the views stay in [0, 1]. */
  readonly normalize?: NormalizeOptions;
}

/**
 * The two chains of the BYOL paper, one for each view; Barlow Twins and VICReg use them, too.
 *
 * Both: resized crop; flip p 0.5; colour jitter (brightness 0.4, contrast 0.4, saturation 0.2, hue 0.1) p 0.8; gray p 0.2. The first view is
 * always blurred and never solarized. The second is blurred with p 0.1 and then solarized (from 0.5 on) with p 0.2.
 *
 * The paper's crop is bicubic, this one is bilinear.
 *
 * @param options - see {@link BYOLChainsOptions}.
 * @returns the chains of view 0 and view 1, for {@link viewPlan} or the `chain` of a feed.
 * @throws RangeError if an option is out of its range.
 *
 * @example
 * ```ts
 * import { byolChains } from '@tfjs-ssl/augmentations';
 *
 * const [first, second] = byolChains({ size: 32 });
 * console.log(first.columns.length, second.columns.length); // the second has a solarization, too
 * ```
 *
 * @see Grill et al. 2020, "Bootstrap Your Own Latent", appendix B and table 6
 */
export function byolChains(options: BYOLChainsOptions = {}): readonly [Chain, Chain] {
  const { size = 64, cropScale = [0.08, 1], normalize } = options;
  const common = { size, cropScale, jitter: byolJitter, normalize };
  return [
    methodChain({ ...common, blurProbability: 1 }),
    methodChain({ ...common, blurProbability: 0.1, solarizeProbability: 0.2 }),
  ];
}
