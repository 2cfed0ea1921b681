import * as tf from '@tensorflow/tfjs-core';
import { argumentError } from '@tfjs-ssl/checks';
import { checkImages, type ImageSize, isTensor, type PerImage, perImage, toImageSize } from './check.ts';

/** The crop of each image, pixels; one number or one per image. */
export interface CropBox {
  /** Row of the upper edge. */
  readonly top: PerImage;
  /** Column of the left edge. */
  readonly left: PerImage;
  readonly height: PerImage;
  readonly width: PerImage;
}

/** Options of {@link resizedCrop}. */
export interface ResizedCropOptions {
  /** Size of the result, pixels: one number for a square, or [height, width]. */
  readonly size: number | ImageSize;
  /** Whether to widen the filter when the crop shrinks, as Pillow always does and torchvision does by default. Default: true. */
  readonly antialias?: boolean;
}

/**
 * Cuts a box out of each image and resizes it, bilinear, with half-pixel centres.
 *
 *     output[y, x] = sum_{i in rows, j in columns of the box} a[y, i] b[x, j] images[i, j]
 *     a[y, i] = max(0, 1 - |(y + 1/2) s - (i + 1/2 - top)| / max(1, s)) / sum_i a[y, i],   s = height / size
 *
 * and likewise b. Without antialiasing, 1 replaces max(1, s); enlarged boxes are the same either way.
 * Boxes are tensors, so they may differ from image to image and from call to call of a compiled step.
 *
 * @param images - shape [N, H, W, C], float32.
 * @param box - integers; the box lies within the image (boxes given as tensors are not checked, because they would have to be read back).
 * @param options - see {@link ResizedCropOptions}.
 * @returns a new tensor of shape [N, size, size, C], which the caller (or the surrounding `tf.tidy`) disposes.
 * @throws RangeError or TypeError if `images` is not a float32 batch, or a box is not one of whole pixels within its image.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core';
 * import { resizedCrop } from '@tfjs-ssl/augmentations';
 * import { startEngine } from '@tfjs-ssl/engine';
 *
 * await startEngine('auto');
 * const images = tf.randomUniform<tf.Rank.R4>([2, 64, 64, 3]);
 * const crops = resizedCrop(images, { top: [0, 20], left: [10, 0], height: [30, 44], width: [40, 44] }, { size: 32 });
 * console.log(crops.shape); // [2, 32, 32, 3]
 * ```
 *
 * @see `torchvision.transforms.functional.resized_crop`
 */
export function resizedCrop(images: tf.Tensor4D, box: CropBox, options: ResizedCropOptions): tf.Tensor4D {
  checkImages('resizedCrop', images);
  const [outHeight, outWidth] = toImageSize('resizedCrop', 'size', options.size);
  const { antialias = true } = options;
  const [count, height, width, channels] = images.shape;
  return tf.tidy(() => {
    const edge = (name: keyof CropBox, min: number, max: number) =>
      tf.reshape(perImage('resizedCrop', name, box[name], images, { min, max, integer: true }), [-1, 1, 1]);
    const [top, left] = [edge('top', 0, height - 1), edge('left', 0, width - 1)];
    const [boxHeight, boxWidth] = [edge('height', 1, height), edge('width', 1, width)];
    checkInside('bottom', box.top, box.height, height);
    checkInside('right', box.left, box.width, width);
    const matrix = (...args: Parameters<typeof interpolation>) => tileTo(count, interpolation(...args));
    const rows = matrix(top, boxHeight, height, outHeight, antialias);
    const columns = matrix(left, boxWidth, width, outWidth, antialias);
    const tall = tf.reshape(tf.matMul(rows, tf.reshape(images, [count, height, width * channels])), [
      count,
      outHeight,
      width,
      channels,
    ]);
    const turned = tf.reshape(tf.transpose(tall, [0, 2, 1, 3]), [count, width, outHeight * channels]);
    const resized = tf.reshape(tf.matMul(columns, turned), [count, outWidth, outHeight, channels]);
    return tf.transpose(resized, [0, 2, 1, 3]) as tf.Tensor4D;
  });
}

/**
 * Weights of the input pixels in each output pixel along one axis, shape [N or 1, to, from].
 *
 * Both sides of the distance are multiplied by `to` and so are exact in float32; the one rounding is that of the division.
 */
function interpolation(begin: tf.Tensor, length: tf.Tensor, from: number, to: number, antialias: boolean): tf.Tensor3D {
  const centre = tf.mul(tf.reshape(tf.add(tf.range(0, to), 0.5), [1, to, 1]), length);
  const pixel = tf.sub(tf.reshape(tf.add(tf.range(0, from), 0.5), [1, 1, from]), begin);
  const support = antialias ? tf.maximum(length, to) : tf.scalar(to);
  const triangle = tf.relu(tf.sub(1, tf.div(tf.abs(tf.sub(centre, tf.mul(pixel, to))), support)));
  const inside = tf.logicalAnd(tf.greater(pixel, 0), tf.less(pixel, length));
  const weights = tf.mul(triangle, tf.cast(inside, 'float32'));
  return tf.div(weights, tf.sum(weights, 2, true));
}

const tileTo = (count: number, matrices: tf.Tensor3D): tf.Tensor3D =>
  matrices.shape[0] === count ? matrices : tf.tile(matrices, [count, 1, 1]);

function checkInside(side: string, begin: PerImage, length: PerImage, limit: number): void {
  if (isTensor(begin) || isTensor(length)) return;
  const at = (values: number | readonly number[], i: number) =>
    (typeof values === 'number' ? values : values[i]) as number;
  const count = Math.max(...[begin, length].map((values) => (typeof values === 'number' ? 1 : values.length)));
  for (let i = 0; i < count; i++) {
    const end = at(begin, i) + at(length, i);
    if (end > limit) {
      throw argumentError({
        fn: 'resizedCrop',
        argument: 'box',
        required: `end within the ${limit} pixels of image ${i}`,
        got: end,
        shown: `${end} as its ${side} end`,
        advice: 'Move or shrink the box.',
      });
    }
  }
}
