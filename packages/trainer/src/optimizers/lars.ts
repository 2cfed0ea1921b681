import { checkChoice } from '@tfjs-ssl/checks';
import type { Optimizer } from '../types.ts';
import { describeExclusion, type Exclusion } from './exclusion.ts';
import { type LarsFlavour, momentumOptimizer } from './momentum-rule.ts';

/** Options of {@link lars}. */
export interface LarsOptions {
  /** Which of the published variants. Default: `'simclr'`. */
  readonly flavour?: LarsFlavour;
  /** Decay rate of the velocity, in [0, 1). Default: 0.9. */
  readonly momentum?: number;
  /** Nesterov's momentum. Default: false. */
  readonly nesterov?: boolean;
  /** L2 regularisation, added to the gradient; at least 0. Default: 1e-6, SimCLR's. */
  readonly weightDecay?: number;
  /** Factor of the trust ratio |p| / |g|, at least 0; 0 switches the ratio off. Default: 0.001. */
  readonly trustCoefficient?: number;
  /** Parameters with neither weight decay nor trust ratio. Default: `'vectors'`, the biases and batch norm. */
  readonly exclude?: Exclusion;
}

const FLAVOURS: readonly LarsFlavour[] = ['simclr', 'popular', 'torch'];

/**
 * LARS: momentum with a learning rate per parameter tensor, in proportion to the tensor's norm. For very large batches.
 *
 * With g the gradient plus weightDecay p, and trust(d) = trustCoefficient |p| / |d| (1 if a norm is zero):
 * - `'simclr'`: v = momentum v + lr trust(g) g; p -= v. The velocity contains the learning rate, so a change of the rate takes effect slowly.
 * - `'popular'`: v = momentum v + g; p -= lr trust(v) v. The ratio uses the update.
 * - `'torch'`: v = momentum v + trust(g) g; p -= lr v. Equals `'simclr'` while the learning rate is constant.
 *
 * The norm is that of the sum, |g + weightDecay p|, as in google-research/simclr. lightly and timm divide by the sum of the norms,
 * |g| + weightDecay |p|, which is at least as large: without weight decay the steps are the same, with it theirs are shorter (by 7 % at
 * weight decay 0.01 in a comparison).
 *
 * With `nesterov`, momentum v + (what was added to v) takes the place of v in the last formula (and in its ratio). Scalar of a
 * step: the learning rate. Slot: `velocity`.
 *
 * @param options - the flavour, momentum, weight decay, trust coefficient, and excluded parameters.
 * @returns the update rule; it holds no tensors.
 * @throws RangeError if a number is outside its range or the flavour is unknown.
 * @example
 * ```ts
 * import { lars, warmupCosine } from '@tfjs-ssl/trainer';
 *
 * // SimCLR's recipe at batch 4096: learning rate 0.3 * batch / 256, ten epochs of warm-up.
 * const optimizer = lars({ weightDecay: 1e-6 });
 * const schedule = warmupCosine({ learningRate: 4.8, warmupSteps: 3127, totalSteps: 31279 });
 * console.log(optimizer.config, optimizer.scalars(3128, schedule(3127))); // [ 4.8 ]
 * ```
 * @see You et al. 2017, "Large Batch Training of Convolutional Networks", algorithm 1; google-research/simclr,
 * tf2/lars_optimizer.py (`'simclr'`: classic_momentum, `'popular'`: without); facebookresearch/barlowtwins, main.py (`'torch'`).
 */
export function lars(options: LarsOptions = {}): Optimizer {
  const { flavour = 'simclr', momentum = 0.9, nesterov = false, weightDecay = 1e-6 } = options;
  const { trustCoefficient = 0.001, exclude = 'vectors' } = options;
  checkChoice('lars', 'flavour', flavour, FLAVOURS, 'Its documentation has the formula of each.');
  return momentumOptimizer({
    name: 'lars',
    config: { flavour, momentum, nesterov, weightDecay, trustCoefficient, exclude: describeExclusion(exclude) },
    flavour,
    momentum,
    nesterov,
    weightDecay,
    trustCoefficient,
    exclude,
  });
}
