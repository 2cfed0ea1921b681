import type * as tf from '@tensorflow/tfjs-core';
import { argumentError, showValue } from '@tfjs-ssl/checks';

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

/** Options of `augmentImages`. */
export interface AugmentImagesOptions {
  /** Height and width of the result in pixels: those of the last crop, or those of the images if there is no crop. */
  readonly size: readonly [number, number];
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
    throw argumentError({
      fn,
      argument: 'parameters',
      required: `have ${columns} columns and a multiple of ${count} rows`,
      got: parameters.shape,
      shown: `shape ${showValue(parameters.shape)}`,
      advice: 'Make one row per view with the columns of these stages.',
    });
  }
  const size = outputSize(fn, [height, width], stages);
  if (size[0] !== options.size[0] || size[1] !== options.size[1]) {
    throw argumentError({
      fn,
      argument: 'size',
      required: `be the size after the last stage, ${showValue(size)}`,
      got: options.size,
      advice: 'Pass the size of the last crop.',
    });
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
      throw argumentError({
        fn,
        argument: 'kernelSize',
        required: `be at most ${largest} for images of ${size[0]} x ${size[1]} pixels`,
        got: stage.kernelSize,
        advice: "The kernel's radius must be smaller than each side of the image.",
      });
    }
  }
  return size;
}
