import * as tf from '@tensorflow/tfjs-core';
import { argumentError, showTensor } from '@tfjs-ssl/checks';
import { type AugmentImagesOptions, type AugmentStage, checkAugmentation } from './contract/augment-stages.ts';
import { hasKernel } from './contract/has-kernel.ts';
import { runKernel } from './contract/run-kernel.ts';

/**
 * Runs a complete chain of augmentations as one kernel. Each image has its own row of parameters.
 *
 *     output[r] = stage_n(... stage_1(images[r mod N], row r) ..., row r)
 *
 * This op has no composition: it needs an engine with the kernel `AugmentImages` (see `OpKernels`). `Chain` of
 * `@tfjs-ssl/augmentations` calls the op if the engine has the kernel, and otherwise composes the same function of single transforms.
 *
 * @param images - shape [N, H, W, 3], float32 in [0, 1].
 * @param parameters - shape [R, columns], float32, R a multiple of N: the columns of all stages, one stage after the other.
 * @param stages - the stages in the order in which they run.
 * @param options - see {@link AugmentImagesOptions}.
 * @returns a new tensor of shape [R, height, width, 3], which the caller (or the surrounding `tf.tidy`) disposes. No gradient.
 * @throws Error if the current backend has no such kernel; RangeError if shapes do not fit the stages.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core';
 * import { startEngine } from '@tfjs-ssl/engine';
 * import { augmentImages, hasKernel } from '@tfjs-ssl/ops';
 *
 * await startEngine('auto');
 * if (hasKernel('AugmentImages')) {
 *   const images = tf.randomUniform<tf.Rank.R4>([2, 8, 8, 3]);
 *   const rows = tf.tensor2d([[1], [0]]); // flips the first image
 *   console.log(augmentImages(images, rows, [{ kind: 'horizontalFlip' }], { size: [8, 8] }).shape); // [2, 8, 8, 3]
 * }
 * ```
 */
export function augmentImages(
  images: tf.Tensor4D,
  parameters: tf.Tensor2D,
  stages: readonly AugmentStage[],
  options: AugmentImagesOptions,
): tf.Tensor4D {
  if (!hasKernel('AugmentImages')) {
    throw new Error(
      `augmentImages: the backend must have the kernel 'AugmentImages', got '${tf.getBackend()}', which has none. Use Chain.apply of @tfjs-ssl/augmentations, which runs on every backend.`,
    );
  }
  if (images.rank !== 4 || images.shape[3] !== 3 || images.dtype !== 'float32') {
    throw argumentError({
      fn: 'augmentImages',
      argument: 'images',
      required: 'be float32 of shape [N, H, W, 3]',
      got: images.shape,
      shown: showTensor(images),
      advice: 'Divide 8-bit images by 255.',
    });
  }
  const { size } = options;
  checkAugmentation('augmentImages', images.shape, parameters, stages, options);
  return runKernel('AugmentImages', { images, parameters }, { stages, size });
}
