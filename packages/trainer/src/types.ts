import type * as tf from '@tensorflow/tfjs-core';
import type { NamedTensors } from '@tfjs-ssl/engine';
import type { GradientScale } from '@tfjs-ssl/ops';

export type { NamedTensors };

/** Variables by name: parameters, buffers, or one slot of an optimizer. */
export type NamedVariables = Record<string, tf.Variable>;

/** The state of an optimizer: for each slot (`'momentum'`, say) one variable for every parameter, under the parameter's name. */
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
 * The rule itself holds nothing that changes: what a step needs comes in as the tensor {@link Optimizer.scalars} describes, and
 * what it remembers lives in the variables of {@link Optimizer.createState}. So a step can be recorded and replayed, and a
 * run resumed, from tensors alone.
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
   * Corrects the scalars of an update for steps that were counted and did not take place, on the engine, since only it knows their number.
   * Absent where the scalars do not depend on the number of the update.
   *
   * @param scalars - what {@link Optimizer.scalars} gave for this step, uploaded; not disposed.
   * @param skippedSteps - steps before this one that were skipped, a float32 scalar; not disposed.
   * @returns the scalars of the update whose number is smaller by that, a new tensor of the same shape.
   */
  withoutSkipped?(scalars: tf.Tensor1D, skippedSteps: tf.Scalar): tf.Tensor1D;

  /**
   * Makes the state of a run that starts: every slot zero.
   *
   * @param parameters - the parameters to train.
   * @returns variables that the caller owns and disposes.
   */
  createState(parameters: NamedVariables): OptimizerState;

  /**
   * Applies one update in place. Reads nothing back and disposes all it makes.
   *
   * @param parameters - the parameters; assigned.
   * @param gradients - one gradient for every parameter, of its shape; not disposed.
   * @param state - what {@link Optimizer.createState} made for these parameters; assigned.
   * @param scalars - shape [scalars(...).length], float32; the numbers of this step.
   * @param gradientScale - what gradients are multiplied by first, and whether the update takes place; see `GradientScale` of the ops.
   * Default: by 1, and it does.
   * @throws RangeError where a gradient or a slot is missing or has another shape.
   */
  update(
    parameters: NamedVariables,
    gradients: NamedTensors,
    state: OptimizerState,
    scalars: tf.Tensor1D,
    gradientScale?: GradientScale,
  ): void;
}
