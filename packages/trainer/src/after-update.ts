import * as tf from '@tensorflow/tfjs-core';
import type { NamedVariables } from './types.ts';

/**
 * What a step does after the optimizer's update, for example to move an average of the weights. `movingAverage` and `unitPrototypes` make
 * such updates; your own is an object with these fields.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core';
 * import { startEngine } from '@tfjs-ssl/engine';
 * import { type AfterUpdate, constantSchedule, sgd, Trainer } from '@tfjs-ssl/trainer';
 *
 * await startEngine('auto');
 * const weight = tf.variable(tf.scalar(2));
 * const sum = tf.variable(tf.scalar(0), false);
 * const total: AfterUpdate = { variables: { sum }, update: () => sum.assign(tf.add(sum, weight)) };
 * const trainer = new Trainer({
 *   parameters: { weight },
 *   inputs: {},
 *   loss: () => tf.square(weight),
 *   optimizer: sgd(),
 *   schedule: constantSchedule({ learningRate: 0.25 }),
 *   afterUpdate: { total },
 * });
 * await trainer.step({}); // weight: 2 - 0.25 * 4
 * console.log(await sum.data()); // 1
 * ```
 */
export interface AfterUpdate {
  /** Variables that it changes, other than parameters and buffers; saved with the run. The caller still owns them. Default: none. */
  readonly variables?: Readonly<NamedVariables>;
  /**
   * The numbers of a step, which are uploaded with the optimizer's. Default: none.
   *
   * @param step - the step, counted from 0.
   * @returns always the same count of numbers.
   */
  scalars?(step: number): readonly number[];
  /**
   * Changes variables, as a part of the compiled step: it reads no values back and uses no numbers of JavaScript that change.
   *
   * @param scalars - what {@link AfterUpdate.scalars} gave for this step, shape [count], float32; not to be disposed.
   */
  update(scalars: tf.Tensor1D): void;
}

/** Updates by name; they run in this order. */
export type AfterUpdates = Readonly<Record<string, AfterUpdate>>;

/** Their variables by the names of a checkpoint. */
export function afterVariables(updates: AfterUpdates): NamedVariables {
  const all: NamedVariables = {};
  for (const [key, { variables = {} }] of Object.entries(updates)) {
    for (const [name, variable] of Object.entries(variables)) all[`${key}.${name}`] = variable;
  }
  return all;
}

/** Their numbers of a step, one after another. */
export function afterScalars(updates: AfterUpdates, step: number): number[] {
  return Object.values(updates).flatMap((update) => [...(update.scalars?.(step) ?? [])]);
}

/** Runs them, each with its part of the numbers. */
export function runAfterUpdates(updates: AfterUpdates, scalars: tf.Tensor1D, first: number): void {
  let from = first;
  for (const update of Object.values(updates)) {
    const count = update.scalars?.(0).length ?? 0;
    const start = from;
    tf.tidy(() => update.update(tf.slice(scalars, start, count)));
    from += count;
  }
}
