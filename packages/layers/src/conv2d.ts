import * as tf from '@tensorflow/tfjs-core';
import type { LayerVariable, Shape } from '@tensorflow/tfjs-layers';
import { normal, seedNumber, uniform } from './seeded-values.ts';
import { type LayerArgs, type TensorLayer, TorchLayer } from './torch-layer.ts';
import { imageChannels, paddingArgument, requireWhole, type Window, windowOutputShape } from './windows.ts';

/** Choices for {@link conv2d}. */
export interface Conv2dOptions {
  /** Number of output channels. */
  readonly filters: number;
  /** Side of the square window, pixels. */
  readonly kernelSize: number;
  /** Step of the window, pixels. Default 1. */
  readonly strides?: number;
  /** Zeros on every side of the image, pixels. Default 0. */
  readonly padding?: number;
  /** Whether a bias is added per output channel. Default false. */
  readonly useBias?: boolean;
  /** Seed of the initial weights, which also depend on the layer's name. Default 0. */
  readonly seed?: number | string;
  /** Name of the layer. In files, `.weight` and `.bias` are appended to it. */
  readonly name?: string;
}

class Conv2d extends TorchLayer {
  static readonly className: string = 'TorchConv2d';
  readonly #filters: number;
  readonly #window: Window;
  readonly #useBias: boolean;
  readonly #seed: number;
  #weight!: LayerVariable;
  #bias: LayerVariable | undefined;

  constructor(options: Conv2dOptions) {
    super(options as LayerArgs);
    const { filters, kernelSize, strides = 1, padding = 0, useBias = false, seed = 0 } = options;
    requireWhole('conv2d', 1, { filters, kernelSize, strides });
    requireWhole('conv2d', 0, { padding });
    this.#filters = filters;
    this.#window = { size: kernelSize, stride: strides, padding };
    this.#useBias = useBias;
    this.#seed = seedNumber(seed);
  }

  override build(inputShape: Shape | Shape[]): void {
    const channels = imageChannels('conv2d', inputShape);
    const area = this.#window.size ** 2;
    const kernelShape = [this.#window.size, this.#window.size, channels, this.#filters];
    this.#weight = this.addSeeded('weight', kernelShape, this.#seed, normal(Math.sqrt(2 / (area * this.#filters))));
    if (this.#useBias) {
      this.#bias = this.addSeeded('bias', [this.#filters], this.#seed, uniform(1 / Math.sqrt(area * channels)));
    }
    this.built = true;
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    return windowOutputShape('conv2d', inputShape as Shape, this.#filters, this.#window);
  }

  protected override compute([x]: [tf.Tensor4D]): tf.Tensor {
    const kernel = this.#weight.read() as tf.Tensor4D;
    const y = tf.conv2d(x, kernel, this.#window.stride, paddingArgument(this.#window));
    return this.#bias ? tf.add(y, this.#bias.read()) : y;
  }

  override getConfig(): tf.serialization.ConfigDict {
    const { size, stride, padding } = this.#window;
    return {
      ...super.getConfig(),
      filters: this.#filters,
      kernelSize: size,
      strides: stride,
      padding,
      useBias: this.#useBias,
      seed: this.#seed,
    };
  }
}
tf.serialization.registerClass(Conv2d);

/**
 * A convolution over images with PyTorch's padding and initialisation.
 *
 *     y[n, i, j, o] = bias[o] + sum_{r,s,c} x[n, i strides + r - padding, j strides + s - padding, c] weight[r, s, c, o]
 *
 * The padding is the same on all sides. TensorFlow's 'same', in contrast, pads even images only at the end if the stride is 2. Weights start
 * from a normal distribution of variance 2 / (kernelSize^2 filters), as in torchvision's ResNets (He et al.'s rule for the outputs). The
 * bias starts from a uniform distribution within 1 / sqrt(kernelSize^2 C), PyTorch's default.
 *
 * @param options - filters, window and seed.
 * @returns a layer from images [N, H, W, C] to [N, H', W', filters] with H' = floor((H + 2 padding - kernelSize) / strides) + 1. Its
 * variables `weight`, shape [kernelSize, kernelSize, C, filters], and `bias` live until the layer or its model is disposed.
 * @throws RangeError if a number is not an integer or too small, or the window does not fit into the image.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core';
 * import { startEngine } from '@tfjs-ssl/engine';
 * import { conv2d } from '@tfjs-ssl/layers';
 *
 * await startEngine('auto');
 * const layer = conv2d({ filters: 8, kernelSize: 7, strides: 2, padding: 3, name: 'conv1' });
 * console.log(layer.apply(tf.ones([1, 64, 64, 3])).shape); // [1, 32, 32, 8]
 * ```
 *
 * @see `torch.nn.Conv2d`; He et al., "Delving Deep into Rectifiers" (2015), section 2.2.
 */
export function conv2d(options: Conv2dOptions): TensorLayer {
  return new Conv2d(options) as TensorLayer;
}
