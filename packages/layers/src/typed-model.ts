import type * as tf from '@tensorflow/tfjs-core';
import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs-layers';
import { argumentError, showValue } from '@tfjs-ssl/checks';
import type { CallOptions, TrainingOption } from './torch-layer.ts';

interface TensorOfRank {
  readonly 1: tf.Tensor1D;
  readonly 2: tf.Tensor2D;
  readonly 3: tf.Tensor3D;
  readonly 4: tf.Tensor4D;
}

/**
 * A `tf.LayersModel` with one input and one output of a rank that TypeScript knows: for a tensor, `apply` and `predict` return a tensor
 * instead of a union of four types.
 */
export interface TypedModel<Output extends tf.Tensor = tf.Tensor2D> extends LayersModel {
  apply(inputs: tf.Tensor, kwargs?: TrainingOption): Output;
  apply(inputs: tf.Tensor, kwargs: CallOptions): Output;
  apply(inputs: SymbolicTensor): SymbolicTensor;
  apply(...args: Parameters<LayersModel['apply']>): ReturnType<LayersModel['apply']>;
  predict(inputs: tf.Tensor, args?: Parameters<LayersModel['predict']>[1]): Output;
  predict(...args: Parameters<LayersModel['predict']>): ReturnType<LayersModel['predict']>;
}

/**
 * Tells TypeScript the rank of a model's output, so that the results of `apply` and `predict` need no cast. `apply` then also refuses
 * inputs of another shape than the model was made for; otherwise an encoder for 64 pixels would accept 32.
 * The library's encoders and heads are already typed; use this for your own models.
 *
 * @param model - a model of one input and one output.
 * @param rank - rank of its output, including the batch: 2 for features [N, D].
 * @returns the same model.
 * @throws RangeError if the model has several inputs or outputs, or its output has another rank.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core';
 * import * as tfl from '@tensorflow/tfjs-layers';
 * import { startEngine } from '@tfjs-ssl/engine';
 * import { typedModel } from '@tfjs-ssl/layers';
 *
 * await startEngine('auto');
 * const flatten = typedModel(tfl.sequential({ layers: [tfl.layers.flatten({ inputShape: [2, 2, 3] })] }), 2);
 * const features: tf.Tensor2D = flatten.apply(tf.ones([8, 2, 2, 3]));
 * console.log(features.shape); // [8, 12]
 * ```
 */
export function typedModel<Rank extends keyof TensorOfRank>(
  model: LayersModel,
  rank: Rank,
): TypedModel<TensorOfRank[Rank]> {
  const { inputs, outputs } = model;
  if (inputs.length !== 1 || outputs.length !== 1) {
    throw argumentError({
      fn: 'typedModel',
      argument: 'model',
      required: 'have one input and one output',
      got: [inputs.length, outputs.length],
      shown: `${inputs.length} and ${outputs.length}`,
      advice: 'Make a model with one of each.',
    });
  }
  const shape = outputs[0]?.shape ?? [];
  if (shape.length !== rank) {
    throw argumentError({
      fn: 'typedModel',
      argument: 'model',
      required: `have an output of rank ${rank}`,
      got: shape,
      shown: `shape ${showValue(shape)}`,
      advice: 'Pass that rank, or pool or flatten the output first.',
    });
  }
  // protected, and the place that TensorFlow.js means for such a check
  Object.assign(model, { assertInputCompatibility: (given: tf.Tensor) => checkInput(model, given) });
  return model as TypedModel<TensorOfRank[Rank]>;
}

/** Throws if a tensor is not of the shape that a model was made for: TensorFlow.js would compute something, and say nothing. */
function checkInput({ name, inputs }: LayersModel, given: tf.Tensor | SymbolicTensor | readonly tf.Tensor[]): void {
  const { shape } = (Array.isArray(given) ? given[0] : given) as tf.Tensor;
  const made = inputs[0]?.shape ?? [];
  const fits = (size: number | null, i: number) => size === null || shape[i] === null || size === shape[i];
  if (shape.length === made.length && made.every(fits)) return;
  const [, ...required] = made.map((size) => size ?? 'any');
  throw argumentError({
    fn: name,
    argument: 'the input',
    required: `have shape [N, ${required.join(', ')}]`,
    got: shape,
    advice: `Pass what the model was made for, or make it with the shape of its input.`,
  });
}
