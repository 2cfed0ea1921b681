import * as tf from '@tensorflow/tfjs-core';
import type { LayerVariable, Shape } from '@tensorflow/tfjs-layers';
import { argumentError, checkNumber } from '@tfjs-ssl/checks';
import { constant, normal, seedNumber, uniform } from './seeded-values.ts';
import { type LayerArgs, type TensorLayer, TorchLayer } from './torch-layer.ts';
import { describe, requireWhole } from './windows.ts';

/** Choices for {@link linear}. */
export interface LinearOptions {
  /** Number of outputs. */
  readonly units: number;
  /** Whether a bias is added. Default true. */
  readonly useBias?: boolean;
  /** Seed of the initial weights, which also depend on the layer's name. Default 0. */
  readonly seed?: number | string;
  /** Standard deviation of normal first weights, above 0; biases then start at 0. DINO takes 0.02. Default: PyTorch's uniform start. */
  readonly deviation?: number;
  /** Name of the layer. In files, `.weight` and `.bias` are appended to it. */
  readonly name?: string;
}

class Linear extends TorchLayer {
  static readonly className: string = 'TorchLinear';
  readonly #units: number;
  readonly #useBias: boolean;
  readonly #seed: number;
  readonly #deviation: number | undefined;
  #weight!: LayerVariable;
  #bias: LayerVariable | undefined;

  constructor(options: LinearOptions) {
    super(options as LayerArgs);
    const { units, useBias = true, seed = 0, deviation } = options;
    requireWhole('linear', 1, { units });
    if (deviation !== undefined) {
      checkNumber('linear', 'deviation', deviation, { above: 0 }, "Leave it out for PyTorch's start.");
    }
    this.#units = units;
    this.#useBias = useBias;
    this.#seed = seedNumber(seed);
    this.#deviation = deviation;
  }

  override build(inputShape: Shape | Shape[]): void {
    const size = inputShape[1];
    if (inputShape.length !== 2 || typeof size !== 'number') {
      throw argumentError({
        fn: 'linear',
        argument: 'input',
        required: 'have shape [N, features] with features known',
        got: inputShape,
        shown: `[${describe(inputShape)}]`,
        advice: 'Flatten or pool the input first.',
      });
    }
    const start = uniform(1 / Math.sqrt(size));
    const [ofWeight, ofBias] = this.#deviation === undefined ? [start, start] : [normal(this.#deviation), constant(0)];
    this.#weight = this.addSeeded('weight', [size, this.#units], this.#seed, ofWeight);
    if (this.#useBias) this.#bias = this.addSeeded('bias', [this.#units], this.#seed, ofBias);
    this.built = true;
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    return [inputShape[0] as number | null, this.#units];
  }

  protected override compute([x]: [tf.Tensor2D]): tf.Tensor {
    const [a, b] = [x, this.#weight.read() as tf.Tensor2D];
    return this.#bias ? tf.fused.matMul({ a, b, bias: this.#bias.read() }) : tf.matMul(a, b);
  }

  override getConfig(): tf.serialization.ConfigDict {
    const config = { ...super.getConfig(), units: this.#units, useBias: this.#useBias, seed: this.#seed };
    return this.#deviation === undefined ? config : { ...config, deviation: this.#deviation };
  }
}
tf.serialization.registerClass(Linear);

/**
 * A fully connected layer with PyTorch's initialisation.
 *
 *     y = x weight + bias
 *
 * Weight and bias start from a uniform distribution within 1 / sqrt(features), or with `deviation` from a normal one and zeros.
 *
 * @param options - units, seed, and how the weights start.
 * @returns a layer from [N, features] to [N, units]. Its variables `weight`, shape [features, units] (files hold the transpose, as in PyTorch), and `bias` live until the layer or its model is disposed.
 * @throws RangeError if a number is out of range or the input does not have two axes.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core';
 * import { startEngine } from '@tfjs-ssl/engine';
 * import { linear } from '@tfjs-ssl/layers';
 *
 * await startEngine('auto');
 * console.log(linear({ units: 10, name: 'fc' }).apply(tf.ones([4, 512])).shape); // [4, 10]
 * ```
 *
 * @see `torch.nn.Linear`.
 */
export function linear(options: LinearOptions): TensorLayer {
  return new Linear(options) as TensorLayer;
}
