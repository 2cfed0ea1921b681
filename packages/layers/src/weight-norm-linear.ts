import * as tf from '@tensorflow/tfjs-core';
import type { LayerVariable, Shape } from '@tensorflow/tfjs-layers';
import { argumentError } from '@tfjs-ssl/checks';
import { unitRows } from '@tfjs-ssl/ops';
import { constant, seedNumber, uniform } from './seeded-values.ts';
import { type LayerArgs, type TensorLayer, TorchLayer } from './torch-layer.ts';
import { describe, requireWhole } from './windows.ts';

/** Choices for {@link weightNormLinear}. */
export interface WeightNormLinearOptions {
  /** Number of outputs. */
  readonly units: number;
  /** Whether the lengths of the weights train. Default false: they stay 1. */
  readonly learnLengths?: boolean;
  /** Seed of the initial weights, which also depend on the layer's name. Default 0. */
  readonly seed?: number | string;
  /** Name of the layer. In files, `.weight_g` and `.weight_v` are appended to it. */
  readonly name?: string;
}

class WeightNormLinear extends TorchLayer {
  static readonly className: string = 'TorchWeightNormLinear';
  readonly #units: number;
  readonly #learnLengths: boolean;
  readonly #seed: number;
  #lengths!: LayerVariable;
  #directions!: LayerVariable;

  constructor(options: WeightNormLinearOptions) {
    super(options as LayerArgs);
    const { units, learnLengths = false, seed = 0 } = options;
    requireWhole('weightNormLinear', 1, { units });
    this.#units = units;
    this.#learnLengths = learnLengths;
    this.#seed = seedNumber(seed);
  }

  override build(inputShape: Shape | Shape[]): void {
    const size = inputShape[1];
    if (inputShape.length !== 2 || typeof size !== 'number') {
      throw argumentError({
        fn: 'weightNormLinear',
        argument: 'input',
        required: 'have shape [N, features] with features known',
        got: inputShape,
        shown: `[${describe(inputShape)}]`,
        advice: 'Flatten or pool the input first.',
      });
    }
    this.#lengths = this.addSeeded('weight_g', [this.#units, 1], this.#seed, constant(1), this.#learnLengths);
    this.#directions = this.addSeeded('weight_v', [this.#units, size], this.#seed, uniform(1 / Math.sqrt(size)));
    this.built = true;
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    return [inputShape[0] as number | null, this.#units];
  }

  protected override compute([x]: [tf.Tensor2D]): tf.Tensor {
    const cosines = tf.matMul(x, unitRows(this.#directions.read() as tf.Tensor2D), false, true);
    return tf.mul(cosines, tf.reshape(this.#lengths.read(), [1, this.#units]));
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), units: this.#units, learnLengths: this.#learnLengths, seed: this.#seed };
  }
}
tf.serialization.registerClass(WeightNormLinear);

/**
 * A fully connected layer without bias whose weights are lengths times directions.
 *
 *     y_k = g_k x . v_k / |v_k|
 *
 * Lengths start at 1, directions from a uniform distribution within 1 / sqrt(features).
 *
 * @param options - units, whether lengths train, seed.
 * @returns a layer from [N, features] to [N, units]. Its variables `weight_g`, shape [units, 1], and `weight_v`, shape [units, features],
 * live until the layer or its model is disposed.
 * @throws RangeError if `units` is not an integer above 0 or the input does not have two axes.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core';
 * import { startEngine } from '@tfjs-ssl/engine';
 * import { weightNormLinear } from '@tfjs-ssl/layers';
 *
 * await startEngine('auto');
 * console.log(weightNormLinear({ units: 10, name: 'last_layer' }).apply(tf.ones([4, 64])).shape); // [4, 10]
 * ```
 *
 * @see Salimans and Kingma, "Weight Normalization" (2016), eq. 2; `torch.nn.utils.weight_norm` of a `torch.nn.Linear`.
 */
export function weightNormLinear(options: WeightNormLinearOptions): TensorLayer {
  return new WeightNormLinear(options) as TensorLayer;
}
