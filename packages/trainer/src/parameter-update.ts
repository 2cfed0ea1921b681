import * as tf from '@tensorflow/tfjs-core';
import { argumentError, checkNumber } from '@tfjs-ssl/checks';
import type { GradientScale } from '@tfjs-ssl/ops';
import { excludes } from './optimizers/exclusion.ts';
import type { NamedTensors, NamedVariables, Optimizer, OptimizerState } from './types.ts';

/** Parameters that begin to train later than the others. */
export interface FrozenAtFirst {
  /** Expressions that match the names of these parameters, for example `[/^head\.last_layer/]`. */
  readonly parameters: readonly RegExp[];
  /** Steps in which they stay as they are, an integer >= 1: DINO takes those of the first epoch. */
  readonly steps: number;
}

/** What mixed precision knows of a step. */
interface Scaling {
  readonly scale: GradientScale;
  /** Steps of the run that were skipped, those before this one. */
  readonly skippedSteps: tf.Scalar;
}

/** The optimizer's update of all parameters of a trainer. */
export interface ParameterUpdate {
  /** Its counters, saved with the run. */
  readonly variables: NamedVariables;
  /** The numbers of a step, counted from 0: always as many. */
  scalars(step: number, learningRate: number): number[];
  /** Updates all parameters; the surrounding `tf.tidy` disposes what it makes. */
  update(gradients: NamedTensors, scalars: tf.Tensor1D, scaling?: Scaling): void;
}

/** The update of an optimizer, with some parameters frozen in the first steps where that is asked for. */
export function parameterUpdate(
  optimizer: Optimizer,
  parameters: NamedVariables,
  state: OptimizerState,
  frozen?: FrozenAtFirst,
): ParameterUpdate {
  const group = (
    some: NamedVariables,
    gradients: NamedTensors,
    scalars: tf.Tensor1D,
    skippedSteps?: tf.Scalar,
    scale?: GradientScale,
  ): void => {
    const counted = skippedSteps ? (optimizer.withoutSkipped?.(scalars, skippedSteps) ?? scalars) : scalars;
    optimizer.update(some, gradients, state, counted, scale);
  };
  if (!frozen) {
    return {
      variables: {},
      scalars: (step, learningRate) => optimizer.scalars(step + 1, learningRate),
      update: (gradients, scalars, scaling) =>
        group(parameters, gradients, scalars, scaling?.skippedSteps, scaling?.scale),
    };
  }
  const [first, later] = splitFrozen(parameters, frozen);
  // Steps that were skipped while the later parameters were frozen are none of theirs.
  const skippedWhileFrozen = tf.tidy(() => tf.variable(tf.scalar(0), false)) as tf.Variable<tf.Rank.R0>;
  const { steps } = frozen;
  return {
    variables: { skippedWhileFrozen },
    /** Those of the first parameters, those of the later ones by their own count of steps, and 1 where these train or else 0. */
    scalars: (step, learningRate) => [
      ...optimizer.scalars(step + 1, learningRate),
      ...optimizer.scalars(Math.max(1, step + 1 - steps), learningRate),
      step < steps ? 0 : 1,
    ],
    update(gradients, scalars, scaling) {
      const count = (scalars.size - 1) / 2;
      const [own, theirs, trains] = tf.split(scalars, [count, count, 1]) as [tf.Tensor1D, tf.Tensor1D, tf.Tensor1D];
      const [factor, applies] = scaling ? (tf.split(scaling.scale, 2) as tf.Tensor1D[]) : [tf.onesLike(trains), trains];
      let skipped: tf.Scalar | undefined;
      if (scaling) {
        const isFrozen = tf.less(tf.reshape(trains, []), 1);
        skippedWhileFrozen.assign(tf.where(isFrozen, scaling.skippedSteps, skippedWhileFrozen));
        skipped = tf.sub(scaling.skippedSteps, skippedWhileFrozen);
      }
      group(first, gradients, own, scaling?.skippedSteps, scaling?.scale);
      const scale = tf.concat([factor as tf.Tensor1D, tf.mul(applies as tf.Tensor1D, trains)]) as GradientScale;
      group(later, gradients, theirs, skipped, scale);
    },
  };
}

/**
 * The parameters that train from the first step on, and those that do not.
 *
 * @throws RangeError unless there are some of both, and the number of steps is an integer >= 1.
 */
export function splitFrozen(
  parameters: NamedVariables,
  { parameters: patterns, steps }: FrozenAtFirst,
): [first: NamedVariables, later: NamedVariables] {
  checkNumber('Trainer', 'frozenAtFirst.steps', steps, { min: 1, integer: true }, 'Leave frozenAtFirst out for none.');
  const isLater = excludes(patterns);
  const entries = Object.entries(parameters);
  const later = entries.filter(([name]) => isLater(name, 0));
  if (later.length === 0 || later.length === entries.length) {
    throw argumentError({
      fn: 'Trainer',
      argument: 'frozenAtFirst.parameters',
      required: 'match some of the parameters',
      got: patterns,
      shown: `${patterns.map(String).join(', ') || 'none'}, which match ${later.length} of ${entries.length}`,
      advice: `Names are like '${entries[0]?.[0]}'.`,
    });
  }
  return [Object.fromEntries(entries.filter(([name]) => !isLater(name, 0))), Object.fromEntries(later)];
}
