import * as tf from '@tensorflow/tfjs-core';
import type { Optimizer } from '../types.ts';
import { checkExclusion, type Exclusion, excludes } from './exclusion.ts';
import { checkNumber, checkScalars, checkUpdate, zeroState } from './state.ts';

/** Where learning rate and trust ratio enter a rule with momentum: see `lars`, whose three published variants these are. */
export type LarsFlavour = 'simclr' | 'popular' | 'torch';

/** What SGD and LARS have in common. */
export interface MomentumRule {
  readonly name: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly flavour: LarsFlavour;
  readonly momentum: number;
  readonly nesterov: boolean;
  readonly weightDecay: number;
  /** Null switches the trust ratio off: that is plain SGD. */
  readonly trustCoefficient: number | null;
  readonly exclude: Exclusion;
}

/** coefficient |p| / |direction|, or 1 where either norm is zero. */
function trustRatio(parameter: tf.Tensor, direction: tf.Tensor, coefficient: number): tf.Tensor {
  const size = tf.sqrt(tf.sum(tf.square(parameter)));
  const length = tf.sqrt(tf.sum(tf.square(direction)));
  const ratio = tf.mul(tf.div(size, length), coefficient);
  return tf.where(tf.greater(tf.minimum(size, length), 0), ratio, tf.onesLike(ratio));
}

const scaled = (direction: tf.Tensor, factor: tf.Tensor | null): tf.Tensor =>
  factor === null ? direction : tf.mul(direction, factor);

/** Moves one parameter and its velocity (none where there is no momentum). */
function move(
  rule: MomentumRule,
  excluded: boolean,
  parameter: tf.Variable,
  gradient: tf.Tensor,
  velocity: tf.Variable | undefined,
  learningRate: tf.Tensor,
): void {
  const { flavour, momentum, nesterov, trustCoefficient } = rule;
  const weightDecay = excluded ? 0 : rule.weightDecay;
  const trust = (direction: tf.Tensor): tf.Tensor | null =>
    excluded || trustCoefficient === null ? null : trustRatio(parameter, direction, trustCoefficient);

  const decayed = weightDecay > 0 ? tf.add(gradient, tf.mul(parameter, weightDecay)) : gradient;
  let incoming = flavour === 'popular' ? decayed : scaled(decayed, trust(decayed));
  if (flavour === 'simclr') incoming = tf.mul(incoming, learningRate);

  let outgoing = incoming;
  if (velocity) {
    velocity.assign(tf.add(tf.mul(velocity, momentum), incoming));
    outgoing = nesterov ? tf.add(tf.mul(velocity, momentum), incoming) : velocity;
  }
  if (flavour === 'popular') outgoing = scaled(outgoing, trust(outgoing));
  if (flavour !== 'simclr') outgoing = tf.mul(outgoing, learningRate);
  parameter.assign(tf.sub(parameter, outgoing));
}

/** Makes the optimizer of a rule with momentum, after checking its numbers. */
export function momentumOptimizer(rule: MomentumRule): Optimizer {
  const { name, config, momentum, nesterov, weightDecay, trustCoefficient, exclude } = rule;
  checkNumber(name, 'momentum', momentum, { to: 1, open: true });
  checkNumber(name, 'weightDecay', weightDecay);
  if (trustCoefficient !== null) checkNumber(name, 'trustCoefficient', trustCoefficient);
  checkExclusion(name, exclude);
  if (nesterov && momentum === 0) {
    throw new RangeError(`${name}: nesterov needs momentum > 0, got momentum 0. Set momentum, usually 0.9.`);
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
    update: (parameters, gradients, state, scalars) => {
      checkUpdate({ name, slots, scalarCount: 1 }, parameters, gradients, state, scalars);
      for (const [key, parameter] of Object.entries(parameters)) {
        const excluded = isExcluded(key, parameter.rank);
        // A tidy for each parameter bounds the memory of the intermediates by the largest one.
        tf.tidy(() =>
          move(rule, excluded, parameter, gradients[key] as tf.Tensor, state.velocity?.[key], tf.reshape(scalars, [])),
        );
      }
    },
  };
}
