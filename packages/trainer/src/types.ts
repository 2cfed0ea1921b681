import type * as tf from '@tensorflow/tfjs-core';
import type { NamedTensors } from '@tfjs-ssl/engine';
import type { GradientScale } from '@tfjs-ssl/ops';

export type { NamedTensors };

/** Variables by name: parameters, buffers, or one slot of an optimizer. */
export type NamedVariables = Record<string, tf.Variable>;

/** The state of an optimizer: for each slot (such as `'momentum'`) one variable per parameter, under the parameter's name. */
export type OptimizerState = Record<string, NamedVariables>;

/**
 * A learning-rate rule: a pure function of the global step.
 *
 * @param step - steps done before this one, counted from 0 over the whole run.
 * @returns the learning rate of that step.
 */
export type Schedule = (step: number) => number;

/**
 * An update rule over named parameters with explicit state.
 *
 * The rule itself never changes. The numbers of a step come in as the tensor that {@link Optimizer.scalars} describes, and
 * the state lives in the variables of {@link Optimizer.createState}. Steps can therefore be recorded and replayed, and runs resumed, from
 * tensors alone.
 */
export interface Optimizer {
  /** Name of the rule, as a checkpoint records it. */
  readonly name: string;
  /** The resolved options: plain numbers, strings and booleans, fit for JSON. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Names of the slots of the state, in the order of a checkpoint. */
  readonly slots: readonly string[];

  /**
   * The numbers that change from step to step, to be uploaded as one tensor.
   *
   * @param step - number of this update, counted from **1** (the `t` of Adam's bias correction).
   * @param learningRate - learning rate of this update; at least 0.
   * @returns always the same count of numbers; the first is the learning rate.
   */
  scalars(step: number, learningRate: number): number[];

  /**
   * Corrects the scalars of an update for steps that were counted but skipped. This runs on the engine, because only the engine knows their
   * number. Absent if the scalars do not depend on the number of the update.
   *
   * @param scalars - what {@link Optimizer.scalars} gave for this step, uploaded; not disposed.
   * @param skippedSteps - steps before this one that were skipped, a float32 scalar; not disposed.
   * @returns the scalars of the update whose number is smaller by the skipped steps, a new tensor of the same shape.
   */
  withoutSkipped?(scalars: tf.Tensor1D, skippedSteps: tf.Scalar): tf.Tensor1D;

  /**
   * Makes the state of a new run, with zeros in every slot.
   *
   * @param parameters - the parameters to train.
   * @returns variables that the caller owns and disposes.
   */
  createState(parameters: NamedVariables): OptimizerState;

  /**
   * Applies one update in place. Reads nothing back and disposes all intermediate tensors.
   *
   * @param parameters - the parameters; assigned.
   * @param gradients - one gradient for every parameter, of its shape; not disposed.
   * @param state - what {@link Optimizer.createState} made for these parameters; assigned.
   * @param scalars - shape [scalars(...).length], float32; the numbers of this step.
   * @param gradientScale - factor of the gradients, and whether the update takes place; see `GradientScale` of the ops.
   * Default: 1, and it takes place.
   * @throws RangeError if a gradient or a slot is missing or has another shape.
   */
  update(
    parameters: NamedVariables,
    gradients: NamedTensors,
    state: OptimizerState,
    scalars: tf.Tensor1D,
    gradientScale?: GradientScale,
  ): void;
}
