import type { TypedModel } from '@tfjs-ssl/layers';
import { buildEfficientNet, type EfficientNetOptions } from './efficientnet.ts';

/**
 * EfficientNet-B0 without its classifier: from images to pooled features.
 *
 * The network equals torchvision's in structure, names, initialisation and arithmetic: symmetric padding, SiLU, gates whose squeezed width is a quarter of the
 * block's input, batch norm with epsilon 1e-5 and PyTorch's momentum of 0.1. `model.predict(x)` and `model.apply(x)` use the running statistics and all
 * branches. `model.apply(x, { training: true, stochasticDepth: table })` uses the statistics of the batch, updates the running ones, and leaves out the
 * branches that the table says; with the option `stochasticDepth: 0` it needs no table.
 *
 * @param options - stem, width, depth, stochastic depth, seed; the images are float32 [N, H, W, C], in the range that the training used.
 * @returns a model from images to features of shape [N, 1280] (at width 1), which owns its variables: dispose the model.
 * @throws RangeError if an option is out of range, or (on use) images are too small or a training call has no table.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core';
 * import { efficientnetB0 } from '@tfjs-ssl/efficientnet';
 * import { startEngine } from '@tfjs-ssl/engine';
 *
 * await startEngine('auto');
 * const encoder = efficientnetB0({ width: 0.25, seed: 42 });
 * const features = encoder.predict(tf.zeros([2, 64, 64, 3]));
 * console.log(features.shape); // [2, 320]
 * ```
 *
 * @see Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks" (2019), table 1; `torchvision.models.efficientnet_b0`.
 */
export function efficientnetB0(options: EfficientNetOptions = {}): TypedModel {
  return buildEfficientNet('efficientnetB0', 'efficientnet_b0', options);
}

/**
 * EfficientNet-B1 without its classifier: images to pooled features. As {@link efficientnetB0}, with 23 blocks in place of 16.
 *
 * @param options - stem, width, depth, stochastic depth, seed.
 * @returns a model from images [N, H, W, C] to features of shape [N, 1280] (at width 1), which owns its variables: dispose the model.
 * @throws RangeError if an option is out of range, or (on use) images are too small or a training call has no table.
 *
 * @example
 * ```ts
 * import { efficientnetB1 } from '@tfjs-ssl/efficientnet';
 * import { startEngine } from '@tfjs-ssl/engine';
 *
 * await startEngine('auto');
 * console.log(efficientnetB1({ width: 0.25 }).outputs[0]?.shape); // [null, 320]
 * ```
 *
 * @see Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks" (2019), section 3.3; `torchvision.models.efficientnet_b1`.
 */
export function efficientnetB1(options: EfficientNetOptions = {}): TypedModel {
  return buildEfficientNet('efficientnetB1', 'efficientnet_b1', options);
}

/**
 * EfficientNet-B2 without its classifier: images to pooled features. As {@link efficientnetB0}, with 23 blocks in place of 16 and 1.1 times the channels.
 *
 * @param options - stem, width, depth, stochastic depth, seed.
 * @returns a model from images [N, H, W, C] to features of shape [N, 1408] (at width 1), which owns its variables: dispose the model.
 * @throws RangeError if an option is out of range, or (on use) images are too small or a training call has no table.
 *
 * @example
 * ```ts
 * import { efficientnetB2 } from '@tfjs-ssl/efficientnet';
 * import { startEngine } from '@tfjs-ssl/engine';
 *
 * await startEngine('auto');
 * console.log(efficientnetB2({ width: 0.25 }).outputs[0]?.shape); // [null, 352]
 * ```
 *
 * @see Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks" (2019), section 3.3; `torchvision.models.efficientnet_b2`.
 */
export function efficientnetB2(options: EfficientNetOptions = {}): TypedModel {
  return buildEfficientNet('efficientnetB2', 'efficientnet_b2', options);
}

/**
 * EfficientNet-B3 without its classifier: images to pooled features. As {@link efficientnetB0}, with 26 blocks in place of 16 and 1.2 times the channels.
 *
 * @param options - stem, width, depth, stochastic depth, seed.
 * @returns a model from images [N, H, W, C] to features of shape [N, 1536] (at width 1), which owns its variables: dispose the model.
 * @throws RangeError if an option is out of range, or (on use) images are too small or a training call has no table.
 *
 * @example
 * ```ts
 * import { efficientnetB3 } from '@tfjs-ssl/efficientnet';
 * import { startEngine } from '@tfjs-ssl/engine';
 *
 * await startEngine('auto');
 * console.log(efficientnetB3({ width: 0.25 }).outputs[0]?.shape); // [null, 384]
 * ```
 *
 * @see Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks" (2019), section 3.3; `torchvision.models.efficientnet_b3`.
 */
export function efficientnetB3(options: EfficientNetOptions = {}): TypedModel {
  return buildEfficientNet('efficientnetB3', 'efficientnet_b3', options);
}

/**
 * EfficientNet-B4 without its classifier: images to pooled features. As {@link efficientnetB0}, with 32 blocks in place of 16 and 1.4 times the channels.
 *
 * @param options - stem, width, depth, stochastic depth, seed.
 * @returns a model from images [N, H, W, C] to features of shape [N, 1792] (at width 1), which owns its variables: dispose the model.
 * @throws RangeError if an option is out of range, or (on use) images are too small or a training call has no table.
 *
 * @example
 * ```ts
 * import { efficientnetB4 } from '@tfjs-ssl/efficientnet';
 * import { startEngine } from '@tfjs-ssl/engine';
 *
 * await startEngine('auto');
 * console.log(efficientnetB4({ width: 0.25 }).outputs[0]?.shape); // [null, 448]
 * ```
 *
 * @see Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks" (2019), section 3.3; `torchvision.models.efficientnet_b4`.
 */
export function efficientnetB4(options: EfficientNetOptions = {}): TypedModel {
  return buildEfficientNet('efficientnetB4', 'efficientnet_b4', options);
}
