import { argumentError, showTensor, showValue } from '@tfjs-ssl/checks';
import * as tf from '@tensorflow/tfjs-core';
import { hasKernel } from './has-kernel.ts';

/**
 * One stage of the fused augmentation kernel, with the values that are the same for all images. Values that differ from image to image are in the
 * stage's columns of the parameter table, see {@link augmentStageColumns}.
 */
export type AugmentStage =
  | {
      readonly kind: 'resizedCrop';
      /** Height and width after the stage, pixels. */
      readonly size: readonly [number, number];
      readonly antialias: boolean;
    }
  | { readonly kind: 'horizontalFlip' }
  | { readonly kind: 'solarize' }
  | { readonly kind: 'colorJitter' }
  | { readonly kind: 'grayscale' }
  | {
      readonly kind: 'gaussianBlur';
      /** Number of taps per direction, odd. */
      readonly kernelSize: number;
    }
  | {
      readonly kind: 'normalize';
      /** Per channel, three numbers. */
      readonly mean: readonly number[];
      readonly std: readonly number[];
    };

/**
 * Columns of the parameter table that each kind of stage reads, in this order.
 *
 * If `applied` is 0, the stage does not change the image; otherwise it is 1. Crops are in pixels of the image that reaches the stage.
 * `first` to `fourth` give the order of the operations of a colour jitter: 0 brightness, 1 contrast, 2 saturation, 3 hue. A hue shift (in turns, -0.5 to 0.5) of
 * exactly 0 is skipped.
 */
export const augmentStageColumns: { readonly [Kind in AugmentStage['kind']]: readonly string[] } = {
  resizedCrop: ['top', 'left', 'height', 'width'],
  horizontalFlip: ['applied'],
  solarize: ['applied', 'threshold'],
  colorJitter: ['applied', 'first', 'second', 'third', 'fourth', 'brightness', 'contrast', 'saturation', 'hue'],
  grayscale: ['applied'],
  gaussianBlur: ['applied', 'sigma'],
  normalize: ['applied'],
};

/** Options of {@link augmentImages}. */
export interface AugmentImagesOptions {
  /** Height and width of the result in pixels: those of the last crop, or those of the images if there is no crop. */
  readonly size: readonly [number, number];
}

/**
 * Runs a complete chain of augmentations as one kernel. Each image has its own row of parameters.
 *
 *     output[r] = stage_n(... stage_1(images[r mod N], row r) ..., row r)
 *
 * This op has no composition: it needs an engine with the kernel `AugmentImages` (inputs images and parameters; attributes stages and size). `Chain` of
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
    throw argumentError({ fn: 'augmentImages', argument: 'images', required: 'be float32 of shape [N, H, W, 3]', got: images.shape, shown: showTensor(images), advice: 'Divide 8-bit images by 255.' });
  }
  const { size } = options;
  checkAugmentation('augmentImages', images.shape, parameters, stages, options);
  return tf
    .engine()
    .runKernel('AugmentImages', { images, parameters }, { stages, size } as unknown as tf.NamedAttrMap) as tf.Tensor4D;
}

/** Throws unless table and size are what the stages need for N images of a height and a width. */
export function checkAugmentation(
  fn: string,
  [count, height, width]: readonly [number, number, number, ...number[]],
  parameters: tf.Tensor2D,
  stages: readonly AugmentStage[],
  options: AugmentImagesOptions,
): void {
  const columns = stages.reduce((sum, stage) => sum + augmentStageColumns[stage.kind].length, 0);
  const [rows = 0, tableWidth] = parameters.shape;
  if (parameters.rank !== 2 || tableWidth !== columns || rows % count !== 0) {
    throw argumentError({ fn, argument: 'parameters', required: `have ${columns} columns and a multiple of ${count} rows`, got: parameters.shape, shown: `shape ${showValue(parameters.shape)}`, advice: 'Make one row per view with the columns of these stages.' });
  }
  const size = outputSize(fn, [height, width], stages);
  if (size[0] !== options.size[0] || size[1] !== options.size[1]) {
    throw argumentError({ fn, argument: 'size', required: `be the size after the last stage, ${showValue(size)}`, got: options.size, advice: 'Pass the size of the last crop.' });
  }
}

function outputSize(
  fn: string,
  imageSize: readonly [number, number],
  stages: readonly AugmentStage[],
): readonly [number, number] {
  let size = imageSize;
  for (const stage of stages) {
    if (stage.kind === 'resizedCrop') size = stage.size;
    const largest = 2 * Math.min(...size) - 1;
    if (stage.kind === 'gaussianBlur' && stage.kernelSize > largest) {
      throw argumentError({ fn, argument: 'kernelSize', required: `be at most ${largest} for images of ${size[0]} x ${size[1]} pixels`, got: stage.kernelSize, advice: "The kernel's radius must be smaller than each side of the image." });
    }
  }
  return size;
}
