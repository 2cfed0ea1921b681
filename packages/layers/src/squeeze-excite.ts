import * as tf from '@tensorflow/tfjs-core';
import type { LayerVariable, Shape } from '@tensorflow/tfjs-layers';
import { squeezeExcite as gateChannels } from '@tfjs-ssl/ops';
import { constant, normal, seedNumber } from './seeded-values.ts';
import { type LayerArgs, type TensorLayer, TorchLayer } from './torch-layer.ts';
import { imageChannels, requireWhole } from './windows.ts';

/** Choices for {@link squeezeExcite}. */
export interface SqueezeExciteOptions {
  /** Number of channels between the two linear layers. */
  readonly squeezed: number;
  /** Seed of the initial weights, which also depend on the layer's name. Default 0. */
  readonly seed?: number | string;
  /** Name of the layer. In files, `.fc1.weight`, `.fc1.bias`, `.fc2.weight` and `.fc2.bias` are appended to it. */
  readonly name?: string;
}

class SqueezeExcite extends TorchLayer {
  static readonly className: string = 'TorchSqueezeExcite';
  readonly #squeezed: number;
  readonly #seed: number;
  #weights!: readonly LayerVariable[];

  constructor(options: SqueezeExciteOptions) {
    super(options as LayerArgs);
    const { squeezed, seed = 0 } = options;
    requireWhole('squeezeExcite', 1, { squeezed });
    this.#squeezed = squeezed;
    this.#seed = seedNumber(seed);
  }

  override build(inputShape: Shape | Shape[]): void {
    const channels = imageChannels('squeezeExcite', inputShape);
    const linear = (name: string, inputs: number, outputs: number): LayerVariable[] => [
      this.addSeeded(`${name}.weight`, [1, 1, inputs, outputs], this.#seed, normal(Math.sqrt(2 / outputs))),
      this.addSeeded(`${name}.bias`, [outputs], this.#seed, constant(0)),
    ];
    this.#weights = [...linear('fc1', channels, this.#squeezed), ...linear('fc2', this.#squeezed, channels)];
    this.built = true;
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    return inputShape as Shape;
  }

  protected override compute([x]: [tf.Tensor4D]): tf.Tensor {
    const [squeeze, squeezeBias, excite, exciteBias] = this.#weights.map((weight) => weight.read()) as [
      tf.Tensor,
      tf.Tensor1D,
      tf.Tensor,
      tf.Tensor1D,
    ];
    const matrix = (kernel: tf.Tensor) => tf.reshape<tf.Rank.R2>(kernel, kernel.shape.slice(2) as [number, number]);
    return gateChannels(x, { squeeze: matrix(squeeze), squeezeBias, excite: matrix(excite), exciteBias });
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), squeezed: this.#squeezed, seed: this.#seed };
  }
}
tf.serialization.registerClass(SqueezeExcite);

/**
 * Squeeze-and-excitation: every channel of every image times a gate, which two small linear layers compute from the means of all channels.
 *
 *     y = x sigmoid(fc2(silu(fc1(mean_{h,w} x))))
 *
 * Weights start from normal distributions of variance 2 / outputs and biases from 0, as in torchvision's EfficientNets.
 *
 * @param options - squeezed channels and seed.
 * @returns a layer that keeps the shape [N, H, W, C]. Its variables are kernels of one pixel, `fc1.weight`, shape [1, 1, C, squeezed], and `fc2.weight`,
 * shape [1, 1, squeezed, C], and the biases `fc1.bias` and `fc2.bias`. They live until the layer or its model is disposed.
 * @throws RangeError if `squeezed` is not an integer of at least 1, or the input does not have four axes.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core';
 * import { startEngine } from '@tfjs-ssl/engine';
 * import { squeezeExcite } from '@tfjs-ssl/layers';
 *
 * await startEngine('auto');
 * console.log(squeezeExcite({ squeezed: 4 }).apply(tf.ones([2, 8, 8, 16])).shape); // [2, 8, 8, 16]
 * ```
 *
 * @see `squeezeExcite` of `@tfjs-ssl/ops`, the function beneath; `torchvision.ops.SqueezeExcitation`.
 */
export function squeezeExcite(options: SqueezeExciteOptions): TensorLayer {
  return new SqueezeExcite(options) as TensorLayer;
}
