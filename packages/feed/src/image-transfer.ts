import * as tf from '@tensorflow/tfjs-core';
import { type Chain, imageTensor } from '@tfjs-ssl/augmentations';
import type { Batch } from '@tfjs-ssl/datasets';
import {
  hasKernel,
  type ImageSource,
  keepsImages,
  packedWords,
  packImages,
  type UploadImagesOptions,
  uploadImages,
} from '@tfjs-ssl/ops';

/** How the images of a batch come into a step; the views are the same either way. */
export interface ImageTransfer {
  readonly kind: 'resident' | 'packed' | 'float';
  /** What the step takes in place of the images. */
  readonly input: { readonly shape: readonly number[]; readonly dtype: 'float32' | 'int32' };
  /** Whether a batch must come with its pixels. */
  readonly readsImages: boolean;
  /** The input of a batch, which the caller disposes. */
  tensorOf(batch: Batch): tf.Tensor;
  /** The views of a table's rows, made inside the step. */
  views(chain: Chain, input: tf.Tensor, table: tf.Tensor2D): tf.Tensor4D;
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
    tensorOf: ({ images }) => imageTensor(images, shape),
    views: (chain, images, table) => chain.apply(images as tf.Tensor4D, table),
    dispose() {},
  };
}

function packed(batchSize: number, [height, width]: ImageShape): ImageTransfer {
  const imageSize = [height, width] as const;
  return {
    kind: 'packed',
    input: { shape: [batchSize, packedWords(imageSize)], dtype: 'int32' },
    readsImages: true,
    tensorOf: ({ images }) => packImages(images, imageSize).shards[0] as tf.Tensor,
    views(chain, words, table) {
      const indices = tf.range(0, batchSize, 1, 'int32');
      return chain.applyPacked({ shards: [words as tf.Tensor2D], imageSize, length: batchSize }, indices, table);
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
): Promise<ImageTransfer | RangeError | null> {
  if (!keepsImages()) return null;
  const kept = await uploadImages(images, options).catch((error: unknown) => {
    if (error instanceof RangeError) return error;
    throw error;
  });
  if (kept instanceof RangeError) return kept;
  return {
    kind: 'resident',
    input: { shape: [batchSize], dtype: 'int32' },
    readsImages: false,
    tensorOf: ({ indices }) => tf.tensor1d(indices, 'int32'),
    views: (chain, indices, table) => chain.applyPacked(kept, indices as tf.Tensor1D, table),
    dispose: () => tf.dispose([...kept.shards]),
  };
}
