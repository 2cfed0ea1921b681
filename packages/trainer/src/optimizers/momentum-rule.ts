import type * as tf from '@tensorflow/tfjs-core';
import { argumentError } from '@tfjs-ssl/checks';
import { type MomentumFlavour, momentumUpdate } from '@tfjs-ssl/ops';
import type { Optimizer } from '../types.ts';
import { checkExclusion, type Exclusion, excludes } from './exclusion.ts';
import { checkOption, checkScalars, checkUpdate, zeroState } from './state.ts';

/** Where learning rate and trust ratio enter a rule with momentum: see `lars`, whose three published variants these are. */
export type LarsFlavour = MomentumFlavour;

/** What SGD and LARS have in common. */
export interface MomentumRule {
  readonly name: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly flavour: LarsFlavour;
  readonly momentum: number;
  readonly nesterov: boolean;
  readonly weightDecay: number;
  /** 0 switches the trust ratio off: that is plain SGD. */
  readonly trustCoefficient: number;
  readonly exclude: Exclusion;
}

/** Makes the optimizer of a rule with momentum, after checking its numbers. */
export function momentumOptimizer(rule: MomentumRule): Optimizer {
  const { name, config, momentum, nesterov, weightDecay, trustCoefficient, exclude } = rule;
  checkOption(name, 'momentum', momentum, { below: 1 });
  checkOption(name, 'weightDecay', weightDecay);
  checkOption(name, 'trustCoefficient', trustCoefficient);
  checkExclusion(name, exclude);
  if (nesterov && momentum === 0) {
    throw argumentError({
      fn: name,
      argument: 'momentum',
      required: 'be above 0 with nesterov',
      got: momentum,
      advice: 'Set momentum, usually 0.9.',
    });
  }
  const isExcluded = excludes(exclude);
  const slots = momentum > 0 ? ['velocity'] : [];
  return {
    name,
    config,
    slots,
    scalars: (step, learningRate) => {
      checkScalars(name, step, learningRate);
      return [learningRate];
    },
    createState: (parameters) => zeroState(slots, parameters),
    update: (parameters, gradients, state, scalars, gradientScale) => {
      checkUpdate({ name, slots, scalarCount: 1 }, parameters, gradients, state, scalars);
      const names = Object.keys(parameters);
      const excluded = names.map((key) => isExcluded(key, (parameters[key] as tf.Variable).rank));
      const options = {
        ...{ momentum, nesterov, flavour: rule.flavour },
        weightDecays: excluded.map((left) => (left ? 0 : weightDecay)),
        trustCoefficients: excluded.map((left) => (left ? 0 : trustCoefficient)),
      };
      const { velocity = {} } = state;
      const velocities = momentum > 0 ? names.map((key) => velocity[key] as tf.Variable) : [];
      const all = names.map((key) => parameters[key] as tf.Variable);
      momentumUpdate(
        all,
        names.map((key) => gradients[key] as tf.Tensor),
        velocities,
        scalars,
        options,
        gradientScale,
      );
    },
  };
}
