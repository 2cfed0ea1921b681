import * as tf from '@tensorflow/tfjs-core';
import type { Chain } from '@tfjs-ssl/augmentations';
import type { Batch, ImageDataset } from '@tfjs-ssl/datasets';
import type { InputSpec } from '@tfjs-ssl/engine';
import { hasKernel, keepsImages, packedWords, packImages, uploadImages } from '@tfjs-ssl/ops';
import type { Settings } from './settings.ts';
import { toFloat } from './to-float.ts';

/** How the images of a batch come into a step; the views are the same either way. */
export interface ImageFeed {
  /** Whether a batch must come with its pixels. */
  readonly readsImages: boolean;
  /** What the step's input `images` is. */
  readonly input: InputSpec;
  /** The input of a batch, which the caller disposes. */
  tensorOf(batch: Batch): tf.Tensor;
  /** The views, made inside the step. */
  views(chain: Chain, images: tf.Tensor, table: tf.Tensor2D): tf.Tensor4D;
  dispose(): void;
}

/** Every step takes the pixels of its batch, as bytes where the engine makes views of those. */
export function batchFeed({ batchSize, imageSize }: Settings): ImageFeed {
  if (hasKernel('AugmentPackedImages')) return packedBatchFeed(batchSize, [imageSize, imageSize]);
  const shape: [number, number, number, number] = [batchSize, imageSize, imageSize, 3];
  return {
    readsImages: true,
    input: { shape },
    tensorOf: ({ images }) => tf.tensor4d(toFloat(images), shape),
    views: (chain, images, table) => chain.apply(images as tf.Tensor4D, table),
    dispose() {},
  };
}

function packedBatchFeed(batchSize: number, imageSize: readonly [number, number]): ImageFeed {
  return {
    readsImages: true,
    input: { shape: [batchSize, packedWords(imageSize)], dtype: 'int32' },
    tensorOf: ({ images }) => packImages(images, imageSize).shards[0] as tf.Tensor,
    views(chain, images, table) {
      const indices = tf.range(0, batchSize, 1, 'int32');
      const packed = { shards: [images as tf.Tensor2D], imageSize, length: batchSize };
      return chain.applyPacked(packed, indices, table);
    },
    dispose() {},
  };
}

/**
 * The engine keeps all images, and a step takes positions only: where the engine can and has the memory, else as {@link batchFeed}.
 *
 * @param print - takes a line on the progress now and then, and one that says why where the images do not fit.
 * @throws the signal's reason.
 */
export async function residentFeed(
  dataset: ImageDataset,
  settings: Settings,
  print: (line: string) => void,
  signal: AbortSignal,
): Promise<ImageFeed> {
  if (!keepsImages()) return batchFeed(settings);
  const images = await uploadImages(dataset, { onProgress: reportUpload(print), signal }).catch((error: unknown) => {
    if (!(error instanceof RangeError)) throw error;
    print(`The images are uploaded batch by batch: ${error.message}`);
    return null;
  });
  if (images === null) return batchFeed(settings);
  return {
    readsImages: false,
    input: { shape: [settings.batchSize], dtype: 'int32' },
    tensorOf: ({ indices }) => tf.tensor1d(indices, 'int32'),
    views: (chain, indices, table) => chain.applyPacked(images, indices as tf.Tensor1D, table),
    dispose: () => tf.dispose([...images.shards]),
  };
}

/** A line at most every two seconds, and one at the end. */
function reportUpload(print: (line: string) => void): (progress: { done: number; total: number }) => void {
  let last = performance.now();
  return ({ done, total }) => {
    if (done < total && performance.now() - last < 2000) return;
    last = performance.now();
    print(`uploaded ${done.toLocaleString('en')} of ${total.toLocaleString('en')} images to the engine`);
  };
}
