import type { TypedModel } from '@tfjs-ssl/layers';
import { architectures } from './architecture-table.ts';
import { buildResNet, type ResNetOptions } from './resnet.ts';

/**
 * ResNet-18 without its classifier: from images to pooled features.
 *
 * The network equals torchvision's in structure, names, initialisation and arithmetic: symmetric padding, batch norm with PyTorch's momentum
 * and unbiased running variance. `model.predict(x)` and `model.apply(x)` use the running statistics. `model.apply(x, { training: true })`
 * uses the statistics of the batch and updates the running ones.
 *
 * @param options - stem, width, seed; the images are float32 [N, H, W, C], in the range that the training used.
 * @returns a model from images to features of shape [N, 8 width] (512), which owns its variables: dispose the model.
 * @throws RangeError if an option is out of range, or (on use) images are too small for the stem.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core';
 * import { startEngine } from '@tfjs-ssl/engine';
 * import { resnet18 } from '@tfjs-ssl/resnet';
 *
 * await startEngine('auto');
 * const encoder = resnet18({ width: 16, seed: 42 });
 * const features = encoder.predict(tf.zeros([2, 64, 64, 3]));
 * console.log(features.shape); // [2, 128]
 * ```
 *
 * @see He et al., "Deep Residual Learning for Image Recognition" (2016), table 1; `torchvision.models.resnet18`.
 */
export function resnet18(options: ResNetOptions = {}): TypedModel {
  return buildResNet('resnet18', architectures.resnet18, options);
}

/**
 * ResNet-34 without its classifier: images to pooled features. As {@link resnet18}, with 16 blocks of two convolutions.
 *
 * @param options - stem, width, seed.
 * @returns a model from images [N, H, W, C] to features of shape [N, 8 width] (512), which owns its variables: dispose the model.
 * @throws RangeError if an option is out of range, or (on use) images are too small for the stem.
 *
 * @example
 * ```ts
 * import { startEngine } from '@tfjs-ssl/engine';
 * import { resnet34 } from '@tfjs-ssl/resnet';
 *
 * await startEngine('auto');
 * console.log(resnet34({ width: 8 }).outputs[0]?.shape); // [null, 64]
 * ```
 *
 * @see He et al., "Deep Residual Learning for Image Recognition" (2016), table 1; `torchvision.models.resnet34`.
 */
export function resnet34(options: ResNetOptions = {}): TypedModel {
  return buildResNet('resnet34', architectures.resnet34, options);
}

/**
 * ResNet-50 without its classifier: images to pooled features. As {@link resnet18}, with 16 bottleneck blocks, whose stride is at the 3x3
 * convolution (torchvision's "v1.5").
 *
 * @param options - stem, width, seed.
 * @returns a model from images [N, H, W, C] to features of shape [N, 32 width] (2048), which owns its variables: dispose the model.
 * @throws RangeError if an option is out of range, or (on use) images are too small for the stem.
 *
 * @example
 * ```ts
 * import { startEngine } from '@tfjs-ssl/engine';
 * import { resnet50 } from '@tfjs-ssl/resnet';
 *
 * await startEngine('auto');
 * console.log(resnet50({ width: 8 }).outputs[0]?.shape); // [null, 256]
 * ```
 *
 * @see He et al., "Deep Residual Learning for Image Recognition" (2016), table 1; `torchvision.models.resnet50`.
 */
export function resnet50(options: ResNetOptions = {}): TypedModel {
  return buildResNet('resnet50', architectures.resnet50, options);
}

/**
 * ResNet-101 without its classifier: images to pooled features. As {@link resnet50}, with 33 bottleneck blocks.
 *
 * @param options - stem, width, seed.
 * @returns a model from images [N, H, W, C] to features of shape [N, 32 width] (2048), which owns its variables: dispose the model.
 * @throws RangeError if an option is out of range, or (on use) images are too small for the stem.
 *
 * @example
 * ```ts
 * import { startEngine } from '@tfjs-ssl/engine';
 * import { resnet101 } from '@tfjs-ssl/resnet';
 *
 * await startEngine('auto');
 * console.log(resnet101({ width: 8 }).outputs[0]?.shape); // [null, 256]
 * ```
 *
 * @see He et al., "Deep Residual Learning for Image Recognition" (2016), table 1; `torchvision.models.resnet101`.
 */
export function resnet101(options: ResNetOptions = {}): TypedModel {
  return buildResNet('resnet101', architectures.resnet101, options);
}

/**
 * ResNet-152 without its classifier: images to pooled features. As {@link resnet50}, with 50 bottleneck blocks.
 *
 * @param options - stem, width, seed.
 * @returns a model from images [N, H, W, C] to features of shape [N, 32 width] (2048), which owns its variables: dispose the model.
 * @throws RangeError if an option is out of range, or (on use) images are too small for the stem.
 *
 * @example
 * ```ts
 * import { startEngine } from '@tfjs-ssl/engine';
 * import { resnet152 } from '@tfjs-ssl/resnet';
 *
 * await startEngine('auto');
 * console.log(resnet152({ width: 8 }).outputs[0]?.shape); // [null, 256]
 * ```
 *
 * @see He et al., "Deep Residual Learning for Image Recognition" (2016), table 1; `torchvision.models.resnet152`.
 */
export function resnet152(options: ResNetOptions = {}): TypedModel {
  return buildResNet('resnet152', architectures.resnet152, options);
}
