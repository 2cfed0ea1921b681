import * as tf from '@tensorflow/tfjs-core';
import type { Shape } from '@tensorflow/tfjs-layers';
import { argumentError } from '@tfjs-ssl/checks';
import { type LayerArgs, type TensorLayer, TorchLayer } from './torch-layer.ts';
import { imageChannels, paddingArgument, requireWhole, type Window, windowOutputShape } from './windows.ts';

/** Choices for {@link maxPool2d}. */
export interface MaxPool2dOptions {
  /** Side of the square window, pixels. */
  readonly poolSize: number;
  /** Step of the window, pixels. Default: `poolSize`. */
  readonly strides?: number;
  /** Margin on every side of the image, pixels; at most half of `poolSize`. It never holds the maximum. Default 0. */
  readonly padding?: number;
  /** Name of the layer. */
  readonly name?: string;
}

class MaxPool2d extends TorchLayer {
  static readonly className: string = 'TorchMaxPool2d';
  readonly #window: Window;

  constructor(options: MaxPool2dOptions) {
    super(options as LayerArgs);
    const { poolSize, strides = poolSize, padding = 0 } = options;
    requireWhole('maxPool2d', 1, { poolSize, strides });
    requireWhole('maxPool2d', 0, { padding });
    if (padding > poolSize / 2) {
      throw argumentError({
        fn: 'maxPool2d',
        argument: 'padding',
        required: `be at most ${poolSize / 2}, half of poolSize`,
        got: padding,
        advice: 'Use less padding: a window outside the image has no maximum.',
      });
    }
    this.#window = { size: poolSize, stride: strides, padding };
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    const channels = imageChannels('maxPool2d', inputShape);
    return windowOutputShape('maxPool2d', inputShape as Shape, channels, this.#window);
  }

  protected override compute([x]: [tf.Tensor4D]): tf.Tensor {
    return tf.maxPool(x, this.#window.size, this.#window.stride, paddingArgument(this.#window));
  }

  override getConfig(): tf.serialization.ConfigDict {
    const { size, stride, padding } = this.#window;
    return { ...super.getConfig(), poolSize: size, strides: stride, padding };
  }
}
tf.serialization.registerClass(MaxPool2d);

/**
 * Largest value of every channel in a sliding window, with PyTorch's padding.
 *
 *     y[n, i, j, c] = max_{r,s} x[n, i strides + r - padding, j strides + s - padding, c]
 *
 * Positions outside the image count as minus infinity, on all sides alike.
 *
 * @param options - the window.
 * @returns a layer from images [N, H, W, C] to [N, H', W', C] with H' = floor((H + 2 padding - poolSize) / strides) + 1.
 * @throws RangeError if a number is not an integer or out of range, or the window does not fit into the image.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core';
 * import { startEngine } from '@tfjs-ssl/engine';
 * import { maxPool2d } from '@tfjs-ssl/layers';
 *
 * await startEngine('auto');
 * const layer = maxPool2d({ poolSize: 3, strides: 2, padding: 1 });
 * console.log(layer.apply(tf.ones([1, 32, 32, 8])).shape); // [1, 16, 16, 8]
 * ```
 *
 * @see `torch.nn.MaxPool2d`.
 */
export function maxPool2d(options: MaxPool2dOptions): TensorLayer {
  return new MaxPool2d(options) as TensorLayer;
}
