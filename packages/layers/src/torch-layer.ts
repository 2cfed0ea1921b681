import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { SeededValues } from './seeded-values.ts';

/** Arguments of every layer: its name, whether it trains, and its input shape if it is the first layer. */
export type LayerArgs = NonNullable<ConstructorParameters<typeof tfl.layers.Layer>[0]>;

/** How a layer or a model is applied. A model passes it on to all its layers. */
export interface CallOptions {
  /** Whether batch norm uses the batch and stochastic depth leaves rows out. Default false. */
  readonly training?: boolean;
  /** The factors of stochastic depth in training, from `stochasticDepthTable`: shape [layers, N]. Other layers ignore it. */
  readonly stochasticDepth?: tf.Tensor;
}

/** {@link CallOptions} of a model without stochastic depth. As an overload of its own, it also takes a variable of this type. */
export type TrainingOption = Pick<CallOptions, 'training'>;

/** A layer of one input and one output: `apply` of a tensor returns a tensor, of a symbolic tensor a symbolic one. */
export interface TensorLayer extends tfl.layers.Layer {
  apply(inputs: tf.Tensor, kwargs?: TrainingOption): tf.Tensor;
  apply(inputs: tf.Tensor | tf.Tensor[], kwargs: CallOptions): tf.Tensor;
  apply(inputs: tfl.SymbolicTensor, kwargs?: TrainingOption): tfl.SymbolicTensor;
  apply(...args: Parameters<tfl.layers.Layer['apply']>): ReturnType<tfl.layers.Layer['apply']>;
}

/** What the layers of this package share: their weights' first values, and calls with one tensor. */
export abstract class TorchLayer extends tfl.layers.Layer {
  /** Adds a weight that starts with values of its own generator. */
  protected addSeeded(
    name: string,
    shape: number[],
    seed: number,
    fill: ConstructorParameters<typeof SeededValues>[3],
    trainable = true,
  ): tfl.LayerVariable {
    const values = new SeededValues(seed, this.name, name, fill);
    return this.addWeight(name, shape, 'float32', values, undefined, trainable);
  }

  override call(inputs: tf.Tensor | tf.Tensor[], kwargs: CallOptions): tf.Tensor {
    return tf.tidy(() => {
      this.invokeCallHook(inputs, kwargs as Parameters<tfl.layers.Layer['call']>[1]);
      return this.compute(
        (Array.isArray(inputs) ? inputs : [inputs]) as [tf.Tensor, tf.Tensor?],
        kwargs.training === true,
        kwargs,
      );
    });
  }

  /** The layer's formula. */
  protected abstract compute(inputs: [tf.Tensor, tf.Tensor?], training: boolean, options: CallOptions): tf.Tensor;
}
