import * as tf from '@tensorflow/tfjs-core';
import { argumentError, checkNumber } from '@tfjs-ssl/checks';
import { type AfterUpdates, afterVariables } from './after-update.ts';
import { type FrozenAtFirst, splitFrozen } from './parameter-update.ts';
import type { NamedVariables, Optimizer } from './types.ts';

/** What of a trainer's options is checked before anything is made. */
interface Checked {
  readonly parameters: NamedVariables;
  readonly buffers?: NamedVariables;
  readonly loss: unknown;
  readonly chunks?: unknown;
  readonly optimizer: Optimizer;
  readonly schedule: unknown;
  readonly clipNorm?: number;
  readonly afterUpdate?: AfterUpdates;
  readonly frozenAtFirst?: FrozenAtFirst;
}

const fn = 'Trainer';

/** Throws if an option of a trainer is not of its kind. */
export function checkOptions(options: Checked): void {
  const { parameters, buffers = {}, loss, chunks, optimizer, schedule, clipNorm } = options;
  const { afterUpdate = {}, frozenAtFirst } = options;
  for (const [key, value] of Object.entries(afterUpdate)) {
    checkFunction(`afterUpdate.${key}.update`, value?.update, 'Pass movingAverage(...), or { variables, update }.');
  }
  checkVariables(parameters, buffers, afterVariables(afterUpdate));
  if (frozenAtFirst) splitFrozen(parameters, frozenAtFirst);
  if (clipNorm !== undefined) {
    checkNumber(fn, 'clipNorm', clipNorm, { above: 0 }, 'Leave it out for no clipping.');
  }
  checkFunction('loss', loss, 'Pass ({ x }) => ({ loss }), which computes a scalar of the inputs.');
  if (chunks !== undefined) checkFunction('chunks', chunks, 'Pass (inputs) => feed.chunks(inputs, 8).');
  const constant =
    typeof schedule === 'number'
      ? `constantSchedule({ learningRate: ${schedule} })`
      : 'constantSchedule({ learningRate: 0.001 })';
  checkFunction('schedule', schedule, `Pass ${constant} for one learning rate, or (step) => rate.`);
  if (typeof optimizer?.createState === 'function' && typeof optimizer.update === 'function') return;
  const ofTensorFlow = optimizer instanceof tf.Optimizer;
  throw argumentError({
    kind: 'type',
    fn,
    argument: 'optimizer',
    required: 'be one of the trainer',
    got: optimizer,
    ...(ofTensorFlow && { shown: `${optimizer.getClassName()} of TensorFlow.js` }),
    advice: 'Pass adam(), adamW(), sgd() or lars(); the learning rate comes from `schedule`.',
  });
}

function checkFunction(argument: string, value: unknown, advice: string): void {
  if (typeof value === 'function') return;
  throw argumentError({ kind: 'type', fn, argument, required: 'be a function', got: value, advice });
}

function checkVariables(parameters: NamedVariables, buffers: NamedVariables, after: NamedVariables): void {
  const twice = Object.keys(parameters).filter((name) => Object.hasOwn(buffers, name));
  if (twice.length > 0) {
    throw argumentError({
      fn,
      argument: 'a name',
      required: 'be a parameter or a buffer',
      got: twice,
      shown: `both for ${twice.join(', ')}`,
      advice: 'Rename one.',
    });
  }
  const all = Object.entries({ ...parameters, ...buffers });
  for (const [name, variable] of all) {
    if (variable instanceof tf.Variable) continue;
    throw argumentError({
      kind: 'type',
      fn,
      argument: `'${name}'`,
      required: 'be a tf.Variable',
      got: variable,
      advice: 'Pass namedWeights(model).parameters for a model.',
    });
  }
  const names = new Map<tf.Variable, string>();
  for (const [name, variable] of [...all, ...Object.entries(after)]) {
    const other = names.get(variable);
    if (other) {
      throw argumentError({
        fn: 'Trainer',
        argument: 'a variable',
        required: 'have one name',
        got: name,
        shown: `'${other}' and '${name}'`,
        advice: 'Drop one.',
      });
    }
    names.set(variable, name);
  }
  if (Object.keys(parameters).length === 0) {
    throw argumentError({
      fn,
      argument: 'parameters',
      required: 'hold at least one variable',
      got: undefined,
      shown: 'none',
      advice: 'Pass the weights to train.',
    });
  }
}
