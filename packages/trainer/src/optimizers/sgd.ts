import type { Optimizer } from '../types.ts';
import { describeExclusion, type Exclusion } from './exclusion.ts';
import { momentumOptimizer } from './momentum-rule.ts';

/** Options of {@link sgd}. */
export interface SgdOptions {
  /** Decay rate of the velocity, in [0, 1). Default: 0, which needs no state. */
  readonly momentum?: number;
  /** Nesterov's momentum. Default: false. */
  readonly nesterov?: boolean;
  /** L2 regularisation, added to the gradient; at least 0. Default: 0. */
  readonly weightDecay?: number;
  /** Parameters without weight decay. Default: `'none'`, as in PyTorch. */
  readonly exclude?: Exclusion;
}

/**
 * Stochastic gradient descent with momentum, equal to `torch.optim.SGD` (without dampening).
 *
 * g += weightDecay p; v = momentum v + g; p -= lr (nesterov ? g + momentum v : v). It is {@link lars} with the trust ratio off.
 * Scalar of a step: the learning rate. Slot: `velocity`, if momentum > 0.
 *
 * @param options - momentum, Nesterov, weight decay.
 * @returns the update rule; it holds no tensors.
 * @throws RangeError if a number is outside its range, or `nesterov` is true and momentum is 0.
 * @example
 * ```ts
 * import { sgd } from '@tfjs-ssl/trainer';
 * import { startEngine } from '@tfjs-ssl/engine';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * await startEngine('auto');
 * const optimizer = sgd({ momentum: 0.9, nesterov: true });
 * const parameters = { weight: tf.variable(tf.tensor1d([1])) };
 * const state = optimizer.createState(parameters);
 * optimizer.update(parameters, { weight: tf.tensor1d([1]) }, state, tf.tensor1d(optimizer.scalars(1, 0.1)));
 * console.log(await parameters.weight.array()); // [ 0.81 ]
 * ```
 * @see Sutskever et al. 2013, "On the importance of initialization and momentum in deep learning".
 */
export function sgd(options: SgdOptions = {}): Optimizer {
  const { momentum = 0, nesterov = false, weightDecay = 0, exclude = 'none' } = options;
  return momentumOptimizer({
    name: 'sgd',
    config: { momentum, nesterov, weightDecay, exclude: describeExclusion(exclude) },
    flavour: 'torch',
    momentum,
    nesterov,
    weightDecay,
    trustCoefficient: 0,
    exclude,
  });
}
