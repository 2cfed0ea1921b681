import type * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { argumentError, checkChoice, obeys } from '@tfjs-ssl/checks';
import { emaUpdate } from '@tfjs-ssl/ops';
import { isModel, type Models, modelsByPrefix, namedWeights } from '../weights/named-weights.ts';
import { checkSameStructure } from './check-same-structure.ts';
import { copyOf } from './copy-of.ts';

/** Options of {@link movingAverage}. */
export interface MovingAverageOptions<Branch> {
  /**
   * Weight of the old values, in [0, 1]; or a function of the step, counted from 0, for example `cosineMomentum` of the trainer. MoCo takes
   * 0.999; BYOL and DINO rise from 0.996 to 1.
   */
  readonly momentum: number | ((step: number) => number);
  /**
   * What happens to running statistics. `'own'`: they are left alone, and change as the average's own passes in training mode change them.
   * `'averaged'`: they are averaged as weights are. Default: `'own'`.
   */
  readonly runningStatistics?: 'own' | 'averaged';
  /**
   * Models that become the average, for example loaded ones. They have variables of their own, and are frozen. Default: copies of `models`.
   */
  readonly into?: Branch;
}

/** A branch whose weights are a moving average: see {@link movingAverage}. Give it to a trainer's `afterUpdate`. */
export interface MovingAverage<Branch> {
  /** The average's models, by the names of the branch; not trainable. */
  readonly models: Branch;
  /** All their variables, running statistics too, by name: `encoder.conv1.weight`. A trainer saves them with the run. */
  readonly variables: Readonly<Record<string, tf.Variable>>;
  /**
   * The number of a step.
   *
   * @param step - the step, counted from 0.
   * @returns [1 - momentum], to be uploaded for {@link MovingAverage.update}.
   * @throws RangeError if the momentum of the step is outside [0, 1].
   */
  scalars(step: number): number[];
  /**
   * Moves the average, in place. It belongs after the optimizer's update, in the compiled step.
   *
   * @param share - [1 - momentum], shape [1], float32.
   */
  update(share: tf.Tensor): void;
  /** Disposes the models. */
  dispose(): void;
}

/**
 * A second branch whose weights follow those of the first as an exponential moving average: MoCo's key encoder, BYOL's target, DINO's
 * teacher.
 *
 *     average <- momentum average + (1 - momentum) weight
 *
 * The average starts as a copy. It never trains: compute its outputs inside `stopGradient`. All weights move in one kernel on engines that
 * have one.
 *
 * Running statistics stay the average's own by default, as in lightly, solo-learn and the papers' code: in training mode the average
 * normalises by its batch and collects the statistics of its own activations, and averaging would overwrite these with those of other
 * weights. Take `'averaged'` (stable-pretraining's choice) if the average never runs in training mode, for example if it is only evaluated:
 * its own statistics would then stay as they were at the start.
 *
 * @param models - the models of the branch that trains, by name, as in `namedWeights({ encoder, head })`.
 * @param options - the momentum, and what happens to running statistics.
 * @returns the average; dispose it.
 * @throws RangeError if the momentum is outside [0, 1], or `into` has other weights than `models` or shares variables with them.
 * @throws TypeError if a value of `models` is not a LayersModel.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core';
 * import { startEngine } from '@tfjs-ssl/engine';
 * import { movingAverage, stopGradient } from '@tfjs-ssl/layers';
 * import { mlpHead } from '@tfjs-ssl/projection-heads';
 *
 * await startEngine('auto');
 * const head = mlpHead({ inputSize: 4, hiddenSizes: [8], outputSize: 2 });
 * const target = movingAverage({ head }, { momentum: 0.99 });
 * const z = stopGradient(() => target.models.head.apply(tf.ones([3, 4]), { training: true }));
 * console.log(z.shape); // [3, 2]
 * target.update(tf.tensor1d(target.scalars(0))); // or new Trainer({ ..., afterUpdate: { target } })
 * ```
 *
 * @see He et al., "Momentum Contrast" (2020), eq. 2; Grill et al., "Bootstrap Your Own Latent" (2020), eq. 1; lightly's `update_momentum`.
 */
export function movingAverage<Branch extends Readonly<Record<string, LayersModel>>>(
  models: Branch,
  options: MovingAverageOptions<Branch>,
): MovingAverage<Branch> {
  const { momentum, runningStatistics = 'own', into } = options;
  if (isModel(models)) {
    throw argumentError({
      kind: 'type',
      fn: 'movingAverage',
      argument: 'models',
      required: 'be models by name',
      got: models,
      advice: 'Pass { encoder }.',
    });
  }
  modelsByPrefix(models, 'movingAverage'); // throws for what is no model
  if (typeof momentum !== 'function') checkMomentum(momentum);
  checkChoice('movingAverage', 'runningStatistics', runningStatistics, ['own', 'averaged']);
  const { parameters: sources, buffers } = namedWeights(models);
  if (into) {
    checkSameStructure('movingAverage', into, models);
    checkOwnVariables(into, { ...sources, ...buffers });
  }
  const copies = into ?? (Object.fromEntries(Object.entries(models).map(([key, one]) => [key, copyOf(one)])) as Branch);
  for (const model of Object.values(copies)) model.trainable = false;
  const { buffers: variables } = namedWeights(copies);
  const averaged = runningStatistics === 'averaged' ? { ...sources, ...buffers } : sources;
  const names = Object.keys(averaged);
  const [averages, values] = [names.map((name) => variables[name]), names.map((name) => averaged[name])] as [
    tf.Variable[],
    tf.Variable[],
  ];
  return {
    models: copies,
    variables,
    scalars(step) {
      const now = typeof momentum === 'function' ? momentum(step) : momentum;
      checkMomentum(now, step);
      return [1 - now];
    },
    update: (share) => emaUpdate(averages, values, share),
    dispose() {
      for (const model of Object.values(copies)) model.dispose();
    },
  };
}

/** Throws if a model of the average has a variable of the branch: both would be frozen, and the branch would not train. */
function checkOwnVariables(into: Models, branch: Readonly<Record<string, tf.Variable>>): void {
  const trained = new Set(Object.values(branch));
  const { parameters, buffers } = namedWeights(into);
  const shared = Object.entries({ ...parameters, ...buffers }).filter(([, variable]) => trained.has(variable));
  if (shared.length === 0) return;
  const names = shared.map(([name]) => name);
  const more = names.length > 3 ? ` and ${names.length - 3} more` : '';
  throw argumentError({
    fn: 'movingAverage',
    argument: 'into',
    required: 'have variables of its own',
    got: names,
    shown: `those of models: ${names.slice(0, 3).join(', ')}${more}`,
    advice: 'Pass other models with the same options, or leave it out for a copy.',
  });
}

function checkMomentum(momentum: number, step?: number): void {
  if (obeys(momentum, { min: 0, max: 1 })) return;
  throw argumentError({
    fn: 'movingAverage',
    argument: step === undefined ? 'momentum' : `the momentum of step ${step}`,
    required: 'be a finite number in [0, 1]',
    got: momentum,
    advice: 'It is the weight of the old values: usually 0.99 to 1.',
  });
}
