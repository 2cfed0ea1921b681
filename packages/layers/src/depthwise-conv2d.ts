import * as tf from '@tensorflow/tfjs-core';
import type { LayerVariable, Shape } from '@tensorflow/tfjs-layers';
import { normal, seedNumber } from './seeded-values.ts';
import { type LayerArgs, type TensorLayer, TorchLayer } from './torch-layer.ts';
import { imageChannels, paddingArgument, requireWhole, type Window, windowOutputShape } from './windows.ts';

/** Choices for {@link depthwiseConv2d}. */
export interface DepthwiseConv2dOptions {
  /** Side of the square window, pixels. */
  readonly kernelSize: number;
  /** Step of the window, pixels. Default 1. */
  readonly strides?: number;
  /** Zeros on every side of the image, pixels. Default 0. */
  readonly padding?: number;
  /** Seed of the initial weights, which also depend on the layer's name. Default 0. */
  readonly seed?: number | string;
  /** Name of the layer. In files, `.weight` is appended to it. */
  readonly name?: string;
}

class DepthwiseConv2d extends TorchLayer {
  static readonly className: string = 'TorchDepthwiseConv2d';
  readonly #window: Window;
  readonly #seed: number;
  #weight!: LayerVariable;

  constructor(options: DepthwiseConv2dOptions) {
    super(options as LayerArgs);
    const { kernelSize, strides = 1, padding = 0, seed = 0 } = options;
    requireWhole('depthwiseConv2d', 1, { kernelSize, strides });
    requireWhole('depthwiseConv2d', 0, { padding });
    this.#window = { size: kernelSize, stride: strides, padding };
    this.#seed = seedNumber(seed);
  }

  override build(inputShape: Shape | Shape[]): void {
    const channels = imageChannels('depthwiseConv2d', inputShape);
    const { size } = this.#window;
    // One input channel for each output channel, as a grouped convolution has it: files then need no rule of their own for [C, 1, k, k].
    const start = normal(Math.sqrt(2 / (size ** 2 * channels)));
    this.#weight = this.addSeeded('weight', [size, size, 1, channels], this.#seed, start);
    this.built = true;
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    const channels = inputShape[3] as number | null;
    return windowOutputShape('depthwiseConv2d', inputShape as Shape, channels, this.#window);
  }

  protected override compute([x]: [tf.Tensor4D]): tf.Tensor {
    const weight = this.#weight.read() as tf.Tensor4D;
    const [height, width, , channels] = weight.shape;
    const filter = tf.reshape(weight, [height, width, channels, 1]) as tf.Tensor4D;
    return tf.depthwiseConv2d(x, filter, this.#window.stride, paddingArgument(this.#window));
  }

  override getConfig(): tf.serialization.ConfigDict {
    const { size, stride, padding } = this.#window;
    return { ...super.getConfig(), kernelSize: size, strides: stride, padding, seed: this.#seed };
  }
}
tf.serialization.registerClass(DepthwiseConv2d);

/**
 * A convolution of every channel by a window of its own, with PyTorch's padding.
 *
 *     y[n, i, j, c] = sum_{r,s} x[n, i strides + r - padding, j strides + s - padding, c] weight[r, s, 0, c]
 *
 * Weights start from a normal distribution of variance 2 / (kernelSize^2 C), as in torchvision: its initialiser takes all C outputs for the fan-out of a
 * window, although each input has one.
 *
 * @param options - window and seed.
 * @returns a layer from images [N, H, W, C] to [N, H', W', C] with H' = floor((H + 2 padding - kernelSize) / strides) + 1. Its variable `weight`, shape
 * [kernelSize, kernelSize, 1, C] (in files [C, 1, kernelSize, kernelSize], as in PyTorch), lives until the layer or its model is disposed.
 * @throws RangeError if a number is not an integer or too small, or the window does not fit into the image.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core';
 * import { startEngine } from '@tfjs-ssl/engine';
 * import { depthwiseConv2d } from '@tfjs-ssl/layers';
 *
 * await startEngine('auto');
 * const layer = depthwiseConv2d({ kernelSize: 3, strides: 2, padding: 1 });
 * console.log(layer.apply(tf.ones([1, 8, 8, 16])).shape); // [1, 4, 4, 16]
 * ```
 *
 * @see `torch.nn.Conv2d` with `groups` equal to its channels.
 */
export function depthwiseConv2d(options: DepthwiseConv2dOptions): TensorLayer {
  return new DepthwiseConv2d(options) as TensorLayer;
}
