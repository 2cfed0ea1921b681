import * as tf from '@tensorflow/tfjs-core';
import { argumentError, showTensor } from '@tfjs-ssl/checks';
import { augmentImages } from './augment-images.ts';
import { type AugmentImagesOptions, type AugmentStage, checkAugmentation } from './contract/augment-stages.ts';
import { hasKernel } from './contract/has-kernel.ts';
import { type PackedImages, packedWords } from './contract/packed-images.ts';
import { runKernel } from './contract/run-kernel.ts';

/**
 * Converts packed images to float images.
 *
 *     output[n] = bytes of image indices[n] / 255
 *
 * The kernel is `AugmentPackedImages` without stages and parameters. Engines without it use a composition of TensorFlow.js ops.
 *
 * @param images - see `PackedImages`.
 * @param indices - positions of the images, shape [N], int32. A position that does not exist gives an image of NaN, because the op reads nothing back.
 * @returns a new tensor of shape [N, height, width, 3], float32 in [0, 1], which the caller (or the surrounding `tf.tidy`) disposes.
 * No gradient.
 * @throws RangeError if indices or shards have another shape or type.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core';
 * import { startEngine } from '@tfjs-ssl/engine';
 * import { packImages, unpackImages } from '@tfjs-ssl/ops';
 *
 * await startEngine('auto');
 * const packed = packImages(new Uint8Array(3 * 8 * 8 * 3).fill(51), [8, 8]);
 * console.log(unpackImages(packed, tf.tensor1d([2, 0], 'int32')).shape); // [2, 8, 8, 3], all close to 0.2
 * ```
 *
 * @see `torchvision.transforms.ToTensor`
 */
export function unpackImages(images: PackedImages, indices: tf.Tensor1D): tf.Tensor4D {
  checkPacked('unpackImages', images, indices);
  if (hasKernel('AugmentPackedImages')) return fused(images, indices, undefined, [], images.imageSize);
  return tf.tidy(() => {
    const [height, width] = images.imageSize;
    const count = indices.size;
    const zero = tf.scalar(0, 'int32');
    let first = 0;
    let words: tf.Tensor | undefined;
    for (const shard of images.shards) {
      const last = tf.scalar(shard.shape[0] - 1, 'int32');
      const local = tf.sub(indices, tf.scalar(first, 'int32'));
      const rows = tf.gather(shard, tf.minimum(tf.maximum(local, zero), last) as tf.Tensor1D);
      // A later shard takes over from its first image on.
      words = words ? tf.where(tf.reshape(tf.greaterEqual(local, zero), [-1, 1]), rows, words) : rows;
      first += shard.shape[0];
    }
    const byte = (k: number) =>
      tf.mod(tf.floorDiv(words as tf.Tensor, tf.scalar(256 ** k, 'int32')), tf.scalar(256, 'int32'));
    const bytes = tf.reshape(tf.stack([0, 1, 2, 3].map(byte), 2), [count, 4 * packedWords(images.imageSize)]);
    const pixels = tf.reshape(tf.slice(bytes, 0, [count, height * width * 3]), [count, height, width, 3]);
    const there = tf.logicalAnd(tf.greaterEqual(indices, zero), tf.less(indices, tf.scalar(images.length, 'int32')));
    const values = tf.div(tf.cast(pixels, 'float32'), 255);
    return tf.where(tf.reshape(there, [-1, 1, 1, 1]), values, tf.fill(values.shape, Number.NaN)) as tf.Tensor4D;
  });
}

/**
 * Makes views directly from packed images, like {@link unpackImages} followed by `augmentImages`.
 *
 *     output[r] = stage_n(... stage_1(bytes of image indices[r mod N] / 255, row r) ..., row r)
 *
 * For engines: the kernel is `AugmentPackedImages` (see `OpKernels`). A position that does not exist gives NaN.
 *
 * @param images - see `PackedImages`.
 * @param indices - positions of the N images, shape [N], int32.
 * @param parameters - shape [R, columns], float32, R a multiple of N: the columns of all stages, one stage after the other.
 * @param stages - the stages in the order in which they run, at least one.
 * @param options - see `AugmentImagesOptions`.
 * @returns a new tensor of shape [R, height, width, 3], which the caller (or the surrounding `tf.tidy`) disposes. No gradient.
 * @throws Error if the current backend has neither this kernel nor `AugmentImages`; RangeError if shapes do not fit the stages.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core';
 * import { startEngine } from '@tfjs-ssl/engine';
 * import { augmentPackedImages, hasKernel, packImages } from '@tfjs-ssl/ops';
 *
 * await startEngine('auto');
 * if (hasKernel('AugmentPackedImages')) {
 *   const packed = packImages(new Uint8Array(5 * 8 * 8 * 3), [8, 8]);
 *   const rows = tf.tensor2d([[1], [0]]); // flips image 4
 *   const indices = tf.tensor1d([4, 2], 'int32');
 *   const views = augmentPackedImages(packed, indices, rows, [{ kind: 'horizontalFlip' }], { size: [8, 8] });
 *   console.log(views.shape); // [2, 8, 8, 3]
 * }
 * ```
 */
export function augmentPackedImages(
  images: PackedImages,
  indices: tf.Tensor1D,
  parameters: tf.Tensor2D,
  stages: readonly AugmentStage[],
  options: AugmentImagesOptions,
): tf.Tensor4D {
  checkPacked('augmentPackedImages', images, indices);
  const [height, width] = images.imageSize;
  checkAugmentation('augmentPackedImages', [indices.size, height, width], parameters, stages, options);
  if (hasKernel('AugmentPackedImages')) return fused(images, indices, parameters, stages, options.size);
  return tf.tidy(() => augmentImages(unpackImages(images, indices), parameters, stages, options));
}

function fused(
  images: PackedImages,
  indices: tf.Tensor1D,
  parameters: tf.Tensor2D | undefined,
  stages: readonly AugmentStage[],
  size: readonly [number, number],
): tf.Tensor4D {
  const inputs: tf.NamedTensorMap = { indices };
  if (parameters) inputs.parameters = parameters;
  images.shards.forEach((shard, i) => {
    inputs[`shard${i}`] = shard;
  });
  const attributes = { shards: images.shards.length, imageSize: images.imageSize, stages, size };
  return runKernel('AugmentPackedImages', inputs, attributes);
}

function checkPacked(fn: string, images: PackedImages, indices: tf.Tensor1D): void {
  if (indices.rank !== 1 || indices.dtype !== 'int32' || indices.size === 0) {
    throw argumentError({
      fn,
      argument: 'indices',
      required: 'be int32 of shape [N] with N of at least 1',
      got: indices.shape,
      shown: showTensor(indices),
      advice: "Pass tf.tensor1d(indices, 'int32').",
    });
  }
  const words = packedWords(images.imageSize);
  const perShard = images.shards[0]?.shape[0] ?? 0;
  const counts = images.shards.map((shard) => shard.shape[0]);
  const fits =
    counts.reduce((sum, count) => sum + count, 0) === images.length &&
    counts.every((count, i) => count === perShard || (i === counts.length - 1 && count < perShard)) &&
    images.shards.every(({ rank, dtype, shape }) => rank === 2 && dtype === 'int32' && shape[1] === words);
  if (!fits || images.length === 0) {
    throw argumentError({
      fn,
      argument: 'images',
      required: `be int32 shards of shape [images, ${words}] that hold ${images.length} images`,
      got: images.shards.map(({ shape }) => shape),
      shown: images.shards.map(showTensor).join(', ') || 'none',
      advice: 'Make them with packImages or uploadImages.',
    });
  }
}
