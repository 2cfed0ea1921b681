import * as tf from '@tensorflow/tfjs-core';
import type { Shape } from '@tensorflow/tfjs-layers';
import { globalAveragePool as pool } from '@tfjs-ssl/ops';
import { type LayerArgs, type TensorLayer, TorchLayer } from './torch-layer.ts';
import { imageChannels } from './windows.ts';

/** Choices for {@link globalAveragePool}. */
export interface GlobalAveragePoolOptions {
  /** Name of the layer. */
  readonly name?: string;
}

class GlobalAveragePool extends TorchLayer {
  static readonly className: string = 'TorchGlobalAveragePool';

  constructor(options: GlobalAveragePoolOptions = {}) {
    super(options as LayerArgs);
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    return [inputShape[0] as number | null, imageChannels('globalAveragePool', inputShape)];
  }

  protected override compute([x]: [tf.Tensor4D]): tf.Tensor {
    return pool(x);
  }
}
tf.serialization.registerClass(GlobalAveragePool);

/**
 * Mean of every channel over height and width, as a layer.
 *
 *     y[n, c] = sum_{h,w} x[n, h, w, c] / (H W)
 *
 * @param options - the name.
 * @returns a layer from [N, H, W, C] to [N, C].
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core';
 * import { startEngine } from '@tfjs-ssl/engine';
 * import { globalAveragePool } from '@tfjs-ssl/layers';
 *
 * await startEngine('auto');
 * console.log(globalAveragePool().apply(tf.ones([2, 4, 4, 3])).shape); // [2, 3]
 * ```
 *
 * @see `globalAveragePool` of `@tfjs-ssl/ops`, the function beneath; `torch.nn.AdaptiveAvgPool2d(1)`.
 */
export function globalAveragePool(options: GlobalAveragePoolOptions = {}): TensorLayer {
  return new GlobalAveragePool(options) as TensorLayer;
}
