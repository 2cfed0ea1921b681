import * as tf from '@tensorflow/tfjs-core';
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
    throw new RangeError(
      `${fn}: scalars must have shape [${scalarCount}], got [${scalars.shape.join(', ')}]. Upload what scalars(step, learningRate) returns.`,
    );
  }
  const check = (what: string, tensors: NamedTensors | undefined) => {
    for (const [name, parameter] of Object.entries(parameters)) {
      const tensor = tensors?.[name];
      if (!tensor || !tf.util.arraysEqual(tensor.shape, parameter.shape)) {
        throw new RangeError(
          `${fn}: parameter '${name}' needs a ${what} of shape [${parameter.shape.join(', ')}], got ${
            tensor ? `shape [${tensor.shape.join(', ')}]` : 'none'
          }. Pass gradients and state of the same parameters, by the same names.`,
        );
      }
    }
  };
  check('gradient', gradients);
  for (const slot of slots) check(slot, state[slot]);
}

/** Throws unless the value is a finite number within [from, to], or [from, to) where `open`. */
export function checkNumber(
  fn: string,
  option: string,
  value: number,
  { from = 0, to = Number.POSITIVE_INFINITY, open = false }: { from?: number; to?: number; open?: boolean } = {},
): void {
  if (Number.isFinite(value) && value >= from && (open ? value < to : value <= to)) return;
  const range = to === Number.POSITIVE_INFINITY ? `>= ${from}` : `in [${from}, ${to}${open ? ')' : ']'}`;
  throw new RangeError(
    `${fn}: ${option} must be a finite number ${range}, got ${value}. Leave it out to use the default.`,
  );
}

/** Throws unless `step` counts from 1 and the learning rate is finite and not negative. */
export function checkScalars(fn: string, step: number, learningRate: number): void {
  if (!Number.isInteger(step) || step < 1) {
    throw new RangeError(`${fn}: step must be an integer >= 1, got ${step}. Updates are counted from 1.`);
  }
  if (!(Number.isFinite(learningRate) && learningRate >= 0)) {
    throw new RangeError(
      `${fn}: learningRate must be a finite number >= 0, got ${learningRate}. Check the schedule at step ${step - 1}.`,
    );
  }
}
