import * as tf from '@tensorflow/tfjs-core';
import { argumentError, checkNumber, type NumberRule, showValue } from '@tfjs-ssl/checks';
import type { NamedTensors, NamedVariables, OptimizerState } from '../types.ts';

/** Makes zero variables for every slot and parameter. They are not trainable: `tf.variableGrads` passes them over. */
export function zeroState(slots: readonly string[], parameters: NamedVariables): OptimizerState {
  return tf.tidy(() =>
    Object.fromEntries(
      slots.map((slot) => [
        slot,
        Object.fromEntries(
          Object.entries(parameters).map(([name, { shape }]) => [name, tf.variable(tf.zeros(shape), false)]),
        ),
      ]),
    ),
  );
}

/** Throws unless every parameter has a gradient and every slot, each of the parameter's shape, and there is a scalar for each use. */
export function checkUpdate(
  optimizer: { name: string; slots: readonly string[]; scalarCount: number },
  parameters: NamedVariables,
  gradients: NamedTensors,
  state: OptimizerState,
  scalars: tf.Tensor1D,
): void {
  const { name: fn, slots, scalarCount } = optimizer;
  if (scalars.rank !== 1 || scalars.size !== scalarCount) {
    throw argumentError({
      fn,
      argument: 'scalars',
      required: `have shape [${scalarCount}]`,
      got: scalars.shape,
      advice: 'Upload what scalars(step, learningRate) returns.',
    });
  }
  const check = (what: string, tensors: NamedTensors | undefined) => {
    for (const [name, parameter] of Object.entries(parameters)) {
      const tensor = tensors?.[name];
      if (!tensor || !tf.util.arraysEqual(tensor.shape, parameter.shape)) {
        throw argumentError({
          fn,
          argument: `${what} of '${name}'`,
          required: `have shape ${showValue(parameter.shape)}`,
          got: tensor?.shape,
          shown: tensor ? showValue(tensor.shape) : 'none',
          advice: 'Pass gradients and state of the same parameters, under the same names.',
        });
      }
    }
  };
  check('gradient', gradients);
  for (const slot of slots) check(slot, state[slot]);
}

/** Throws unless the value is a number of the rule, >= 0 by default. */
export function checkOption(fn: string, option: string, value: number, rule: NumberRule = {}): void {
  checkNumber(fn, option, value, { min: 0, ...rule }, 'Leave it out to use the default.');
}

/** Throws unless `step` counts from 1 and the learning rate is finite and not negative. */
export function checkScalars(fn: string, step: number, learningRate: number): void {
  checkNumber(fn, 'step', step, { min: 1, integer: true }, 'Updates are counted from 1.');
  checkNumber(fn, 'learningRate', learningRate, { min: 0 }, `Check the schedule at step ${step - 1}.`);
}
