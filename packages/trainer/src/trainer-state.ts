import * as tf from '@tensorflow/tfjs-core';
import { argumentError } from '@tfjs-ssl/checks';
import type { SafeTensor } from '@tfjs-ssl/safetensors';
import { DivergenceError } from './divergence-error.ts';
import type { NamedVariables, OptimizerState } from './types.ts';

/** Everything that a run needs to continue exactly. */
export interface TrainerState {
  /** Steps done; the index of the next one. */
  readonly step: number;
  /** Parameters and buffers as `model.<name>`, the optimizer's slots as `optimizer.<slot>.<name>`; TensorFlow.js's layouts. */
  readonly tensors: Readonly<Record<string, SafeTensor>>;
}

const dtypes: Readonly<Record<string, 'F32' | 'I32'>> = { float32: 'F32', int32: 'I32' };

/** Names all variables of a run as a checkpoint does. */
export function stateVariables(model: NamedVariables, optimizer: OptimizerState): NamedVariables {
  const all: NamedVariables = {};
  for (const [name, variable] of Object.entries(model)) all[`model.${name}`] = variable;
  for (const [slot, variables] of Object.entries(optimizer)) {
    for (const [name, variable] of Object.entries(variables)) all[`optimizer.${slot}.${name}`] = variable;
  }
  return all;
}

/**
 * Copies variables out.
 *
 * @throws DivergenceError if a value is not finite, so that a spoiled state never replaces a good one on disk.
 */
export async function readVariables(variables: NamedVariables): Promise<Record<string, SafeTensor>> {
  // all reads start before the first is awaited: one state, and no wait per variable where memory is read back
  const read = async ([name, variable]: [string, tf.Variable]): Promise<[string, SafeTensor]> => {
    const dtype = dtypes[variable.dtype];
    if (!dtype)
      throw argumentError({
        kind: 'type',
        fn: 'Trainer',
        argument: `'${name}'`,
        required: 'be float32 or int32',
        got: variable.dtype,
        shown: variable.dtype,
        advice: 'Convert the variable.',
      });
    // a copy: data() may hand out the memory that the next step writes to
    const data = (await variable.data<'float32' | 'int32'>()).slice();
    if (!data.every(Number.isFinite)) {
      throw new DivergenceError(
        `Trainer: '${name}' must be finite to be saved, got NaN or infinity.`,
        'Lower the learning rate, or set `clipNorm`, and continue from the last checkpoint, which is intact.',
      );
    }
    return [name, { dtype, shape: variable.shape, data }];
  };
  return Object.fromEntries(await Promise.all(Object.entries(variables).map(read)));
}

/**
 * Asserts that variables hold numbers; reads one after another, so that one copy at a time takes memory.
 *
 * @throws DivergenceError that names the first one with a value that is not finite.
 */
export async function checkFinite(variables: NamedVariables): Promise<void> {
  for (const [name, variable] of Object.entries(variables)) {
    if ((await variable.data()).every(Number.isFinite)) continue;
    throw new DivergenceError(
      `Trainer: '${name}' holds values that are not finite: an update overflowed.`,
      'Lower the learning rate, or set `clipNorm`, and train again from the last state that is intact.',
    );
  }
}

/**
 * Assigns saved values to variables: all of them, or none if anything does not fit.
 *
 * @throws RangeError that lists what is missing, what is too much, and what has another shape or dtype.
 */
export function assignVariables(variables: NamedVariables, tensors: Readonly<Record<string, SafeTensor>>): void {
  const problems: string[] = [];
  for (const [name, variable] of Object.entries(variables)) {
    const saved = Object.hasOwn(tensors, name) ? tensors[name] : undefined;
    if (!saved) problems.push(`${name} is missing`);
    else if (saved.dtype !== dtypes[variable.dtype] || !tf.util.arraysEqual([...saved.shape], variable.shape)) {
      problems.push(
        `${name} is ${saved.dtype} [${saved.shape}] instead of ${dtypes[variable.dtype]} [${variable.shape}]`,
      );
    }
  }
  for (const name of Object.keys(tensors)) if (!Object.hasOwn(variables, name)) problems.push(`${name} is not known`);
  if (problems.length > 0) {
    const more = problems.length > 5 ? ` and ${problems.length - 5} more` : '';
    throw argumentError({
      fn: 'Trainer',
      argument: 'state',
      required: 'fit the model and the optimizer',
      got: problems,
      shown: `differences: ${problems.slice(0, 5).join('; ')}${more}`,
      advice: 'Restore the state of a trainer with the same model and optimizer.',
    });
  }
  tf.tidy(() => {
    for (const [name, variable] of Object.entries(variables)) {
      const { data, shape } = tensors[name] as SafeTensor;
      // a copy: engines may update variables in place
      variable.assign(tf.tensor(data.slice() as Float32Array, [...shape], variable.dtype));
    }
  });
}
