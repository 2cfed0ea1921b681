import type * as tf from '@tensorflow/tfjs-core';
import { adamUpdate } from '@tfjs-ssl/ops';
import type { Optimizer } from '../types.ts';
import { withoutSkipped } from './bias-correction.ts';
import { checkExclusion, describeExclusion, type Exclusion, excludes } from './exclusion.ts';
import { checkOption, checkScalars, checkUpdate, zeroState } from './state.ts';

/** Options of {@link adam} and {@link adamW}. */
export interface AdamOptions {
  /** Decay rates of the first and second moment, each in [0, 1). Default: [0.9, 0.999]. */
  readonly betas?: readonly [number, number];
  /** Added to the root of the second moment, at least 0. Default: 1e-8. */
  readonly epsilon?: number;
  /** Strength of the weight decay, at least 0. Default: 0 for {@link adam}, 0.01 for {@link adamW}. */
  readonly weightDecay?: number;
  /** Parameters without weight decay. Default: `'none'`, as in PyTorch. */
  readonly exclude?: Exclusion;
}

const SLOTS = ['firstMoment', 'secondMoment'] as const;

function makeAdam(name: 'adam' | 'adamW', options: Required<AdamOptions>): Optimizer {
  const { betas, epsilon, weightDecay, exclude } = options;
  const [beta1, beta2] = betas;
  checkOption(name, 'betas[0]', beta1, { below: 1 });
  checkOption(name, 'betas[1]', beta2, { below: 1 });
  checkOption(name, 'epsilon', epsilon);
  checkOption(name, 'weightDecay', weightDecay);
  checkExclusion(name, exclude);
  const isExcluded = excludes(exclude);
  const decoupled = name === 'adamW';
  return {
    name,
    config: { betas: [beta1, beta2], epsilon, weightDecay, exclude: describeExclusion(exclude) },
    slots: SLOTS,
    scalars: (step, learningRate) => {
      checkScalars(name, step, learningRate);
      return [learningRate, 1 - beta1 ** step, 1 - beta2 ** step];
    },
    withoutSkipped: (scalars, skippedSteps) => withoutSkipped(scalars, [null, beta1, beta2], skippedSteps),
    createState: (parameters) => zeroState(SLOTS, parameters),
    update: (parameters, gradients, state, scalars, gradientScale) => {
      checkUpdate({ name, slots: SLOTS, scalarCount: 3 }, parameters, gradients, state, scalars);
      const [first, second] = SLOTS.map((slot) => state[slot] as Record<string, tf.Variable>);
      const names = Object.keys(parameters);
      const of = <T>(tensors: Record<string, T> | undefined, some: string[]) => some.map((key) => tensors?.[key] as T);
      const updateAll = (some: string[], decay: number) => {
        if (some.length === 0) return;
        const settings = { beta1, beta2, epsilon, weightDecay: decay, decoupled };
        adamUpdate(
          of(parameters, some),
          of(gradients, some),
          of(first, some),
          of(second, some),
          scalars,
          settings,
          gradientScale,
        );
      };
      const left = weightDecay > 0 ? names.filter((key) => isExcluded(key, parameters[key]?.rank ?? 0)) : [];
      updateAll(left.length > 0 ? names.filter((key) => !left.includes(key)) : names, weightDecay);
      updateAll(left, 0);
    },
  };
}

/**
 * Adam with L2 regularisation, equal to `torch.optim.Adam`: weight decay is added to the gradient and passes through the moments.
 *
 * g += weightDecay p; m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2; p -= lr / (1 - b1^t) m / (sqrt(v) / sqrt(1 - b2^t) + epsilon).
 * Scalars of a step: learning rate, 1 - b1^t, 1 - b2^t. Slots: `firstMoment`, `secondMoment`.
 *
 * @param options - decay rates, epsilon, weight decay.
 * @returns the update rule; it holds no tensors.
 * @throws RangeError if a number is outside its range.
 * @example
 * ```ts
 * import { adam } from '@tfjs-ssl/trainer';
 * import { startEngine } from '@tfjs-ssl/engine';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * await startEngine('auto');
 * const optimizer = adam({ weightDecay: 1e-4 });
 * const parameters = { weight: tf.variable(tf.tensor1d([1, -2])) };
 * const state = optimizer.createState(parameters);
 * const gradients = { weight: tf.tensor1d([0.5, 0.5]) };
 * optimizer.update(parameters, gradients, state, tf.tensor1d(optimizer.scalars(1, 3e-4)));
 * console.log(await parameters.weight.array()); // each moved by the learning rate
 * ```
 * @see Kingma & Ba 2015, "Adam: A Method for Stochastic Optimization", algorithm 1.
 */
export function adam(options: AdamOptions = {}): Optimizer {
  return makeAdam('adam', { betas: [0.9, 0.999], epsilon: 1e-8, weightDecay: 0, exclude: 'none', ...options });
}

/**
 * Adam with decoupled weight decay, equal to `torch.optim.AdamW`: parameters decay directly, without passing through the moments.
 *
 * p *= 1 - lr weightDecay; then {@link adam} without weight decay. Scalars and slots are the same.
 *
 * @param options - decay rates, epsilon, weight decay (default here: 0.01).
 * @returns the update rule; it holds no tensors.
 * @throws RangeError if a number is outside its range.
 * @example
 * ```ts
 * import { adamW } from '@tfjs-ssl/trainer';
 *
 * const optimizer = adamW({ weightDecay: 0.05, exclude: 'vectors' });
 * console.log(optimizer.config, optimizer.scalars(1, 1e-3)); // [ 0.001, 0.1, 0.001 ]
 * ```
 * @see Loshchilov & Hutter 2019, "Decoupled Weight Decay Regularization", algorithm 2.
 */
export function adamW(options: AdamOptions = {}): Optimizer {
  return makeAdam('adamW', { betas: [0.9, 0.999], epsilon: 1e-8, weightDecay: 0.01, exclude: 'none', ...options });
}
