import * as tf from '@tensorflow/tfjs-core';
import { imageTensor, type PerGroup, type ViewChains, type ViewPlan } from '@tfjs-ssl/augmentations';
import { type ArgumentError, isArgumentError } from '@tfjs-ssl/checks';
import type { Batch } from '@tfjs-ssl/datasets';
import {
  hasKernel,
  type ImageSource,
  keepsImages,
  type PackedImages,
  packedWords,
  packImages,
  type UploadImagesOptions,
  uploadImages,
} from '@tfjs-ssl/ops';

/** The images of a batch or of a part of it, as a step has them. */
interface TransferredImages {
  readonly images: tf.Tensor;
  /** Which of them are meant, int32. Default: all. A name that no input of a step has. */
  readonly 'feed.positions'?: tf.Tensor;
}

/** How the images of a batch come into a step; the views are the same either way. */
export interface ImageTransfer {
  readonly kind: 'resident' | 'packed' | 'float';
  /** What the step takes in place of the images. */
  readonly input: { readonly shape: readonly number[]; readonly dtype: 'float32' | 'int32' };
  /** Whether a batch must come with its pixels. */
  readonly readsImages: boolean;
  /** All images, if the engine keeps them. */
  readonly kept: PackedImages | null;
  /** The input of a batch, which the caller disposes. */
  tensorOf(batch: Batch): tf.Tensor;
  /** Some images of a batch, inside the step. */
  part(images: tf.Tensor, first: number, count: number): TransferredImages;
  /** The views of a table's rows, made inside the step. */
  views<Chains extends ViewChains>(
    plan: ViewPlan<Chains>,
    images: TransferredImages,
    table: tf.Tensor2D,
  ): PerGroup<Chains, tf.Tensor4D>;
  dispose(): void;
}

type ImageShape = ImageSource['imageShape'];

/** Every step takes the pixels of its batch: as bytes if the engine makes views of bytes, otherwise as floats. */
export function batchTransfer(batchSize: number, imageShape: ImageShape): ImageTransfer {
  return hasKernel('AugmentPackedImages') ? packed(batchSize, imageShape) : float(batchSize, imageShape);
}

function float(batchSize: number, imageShape: ImageShape): ImageTransfer {
  const shape = [batchSize, ...imageShape] as const;
  return {
    kind: 'float',
    input: { shape, dtype: 'float32' },
    readsImages: true,
    kept: null,
    tensorOf: ({ images }) => imageTensor(images, shape),
    part: rowsOf,
    views: (plan, { images }, table) => plan.apply(images as tf.Tensor4D, table),
    dispose() {},
  };
}

function packed(batchSize: number, [height, width]: ImageShape): ImageTransfer {
  const imageSize = [height, width] as const;
  return {
    kind: 'packed',
    input: { shape: [batchSize, packedWords(imageSize)], dtype: 'int32' },
    readsImages: true,
    kept: null,
    tensorOf: ({ images }) => packImages(images, imageSize).shards[0] as tf.Tensor,
    // not cut: TensorFlow.js's WebGPU backend copies integers by way of float32, which has not all bits of a word
    part: (images, first, count) => ({ images, 'feed.positions': tf.range(first, first + count, 1, 'int32') }),
    views(plan, { images: words, 'feed.positions': positions = tf.range(0, batchSize, 1, 'int32') }, table) {
      const images = { shards: [words as tf.Tensor2D], imageSize, length: batchSize };
      return plan.applyPacked(images, positions as tf.Tensor1D, table);
    },
    dispose() {},
  };
}

/**
 * The engine keeps all images, and a step takes positions only.
 *
 * @returns null if the engine does not keep images; the reason if its memory cannot hold them.
 * @throws the signal's reason.
 */
export async function residentTransfer(
  images: ImageSource,
  batchSize: number,
  options: UploadImagesOptions,
): Promise<ImageTransfer | ArgumentError | null> {
  if (!keepsImages()) return null;
  const kept = await uploadImages(images, options).catch((error: unknown) => {
    if (isArgumentError(error) && error.argument === 'images') return error; // what `ReserveImages` says of the memory
    throw error;
  });
  if (kept instanceof Error) return kept;
  return {
    kind: 'resident',
    input: { shape: [batchSize], dtype: 'int32' },
    readsImages: false,
    kept,
    tensorOf: ({ indices }) => tf.tensor1d(indices, 'int32'),
    part: rowsOf,
    views: (plan, { images: indices }, table) => plan.applyPacked(kept, indices as tf.Tensor1D, table),
    dispose: () => tf.dispose([...kept.shards]),
  };
}

function rowsOf(images: tf.Tensor, first: number, count: number): TransferredImages {
  return { images: tf.slice(images, first, count) };
}
