import * as tf from '@tensorflow/tfjs-core';
import { argumentError, checkNumber } from '@tfjs-ssl/checks';
import { hasKernel } from './contract/has-kernel.ts';
import { type PackedImages, packedWords } from './contract/packed-images.ts';
import { runKernel } from './contract/run-kernel.ts';

/** Bytes of complete images as words; each image is filled up to a complete word. */
function toWords(pixels: Uint8Array, imageSize: readonly [number, number], images: number): Int32Array {
  const words = packedWords(imageSize);
  const imageBytes = imageSize[0] * imageSize[1] * 3;
  const bytes = new Uint8Array(images * words * 4);
  if (imageBytes === words * 4) bytes.set(pixels);
  else {
    for (let i = 0; i < images; i++) bytes.set(pixels.subarray(i * imageBytes, (i + 1) * imageBytes), i * words * 4);
  }
  return new Int32Array(bytes.buffer);
}

/**
 * Packs images that are in memory.
 *
 * @param pixels - shape [N, height, width, 3], uint8.
 * @param imageSize - height and width, pixels.
 * @param imagesPerShard - number of images in a shard. Default: all images in one shard.
 * @returns new tensors, which the caller (or the surrounding `tf.tidy`) disposes.
 * @throws RangeError if the bytes are not one or more complete images.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core';
 * import { startEngine } from '@tfjs-ssl/engine';
 * import { packImages, unpackImages } from '@tfjs-ssl/ops';
 *
 * await startEngine('auto');
 * const packed = packImages(Uint8Array.of(0, 51, 102, 153, 204, 255), [1, 1]); // two images of one pixel
 * console.log(await unpackImages(packed, tf.tensor1d([1], 'int32')).data()); // close to [0.6, 0.8, 1]
 * ```
 */
export function packImages(
  pixels: Uint8Array,
  imageSize: readonly [height: number, width: number],
  imagesPerShard?: number,
): PackedImages {
  const imageBytes = imageSize[0] * imageSize[1] * 3;
  const length = pixels.length / imageBytes;
  if (!Number.isInteger(length) || length < 1) {
    throw argumentError({
      fn: 'packImages',
      argument: 'pixels',
      required: `hold whole images of ${imageBytes} bytes, at least one`,
      got: pixels.length,
      shown: `${pixels.length} bytes`,
      advice: 'Check imageSize.',
    });
  }
  const perShard = imagesPerShard ?? length;
  checkNumber('packImages', 'imagesPerShard', perShard, { min: 1, integer: true }, 'Leave it out for one shard.');
  const shards: tf.Tensor2D[] = [];
  for (let first = 0; first < length; first += perShard) {
    const images = Math.min(perShard, length - first);
    const part = pixels.subarray(first * imageBytes, (first + images) * imageBytes);
    shards.push(tf.tensor2d(toWords(part, imageSize, images), [images, packedWords(imageSize)], 'int32'));
  }
  return { shards, imageSize: [imageSize[0], imageSize[1]], length };
}

/** A source of images: an `ImageDataset` of `@tfjs-ssl/datasets`, or your own object with these fields. */
export interface ImageSource {
  /** Number of images. */
  readonly length: number;
  readonly imageShape: readonly [height: number, width: number, channels: 3];
  /** Reads images by position: shape [indices.length, height, width, 3], uint8. */
  read(indices: ArrayLike<number>): Promise<Uint8Array>;
}

/** Options of {@link uploadImages}. */
export interface UploadImagesOptions {
  /** Number of images to read at a time. Default: 512. */
  readonly imagesPerChunk?: number;
  /** Called after every chunk. */
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void;
  /** Stops the upload: the uploaded images are freed, and the signal's reason is thrown. */
  readonly signal?: AbortSignal;
}

/** Tells whether the current engine can keep a data set in its memory and make views of it. {@link uploadImages} throws if the memory is too small. */
export function keepsImages(): boolean {
  return ['ReserveImages', 'WriteImages', 'AugmentPackedImages'].every(hasKernel);
}

/**
 * Uploads a complete data set to the engine once. After that, a step uploads only positions.
 *
 * For engines: the kernels are `ReserveImages` and `WriteImages` (see `OpKernels`).
 *
 * @param source - the images.
 * @param options - see {@link UploadImagesOptions}.
 * @returns the images; the caller disposes the shards.
 * @throws Error if the engine keeps no images (see {@link keepsImages}), or RangeError if its memory cannot hold them.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core';
 * import { startEngine } from '@tfjs-ssl/engine';
 * import { keepsImages, unpackImages, uploadImages } from '@tfjs-ssl/ops';
 *
 * await startEngine('auto');
 * if (keepsImages()) {
 *   const read = async (indices: ArrayLike<number>) => new Uint8Array(indices.length * 8 * 8 * 3);
 *   const images = await uploadImages({ length: 100, imageShape: [8, 8, 3], read });
 *   console.log(unpackImages(images, tf.tensor1d([99, 0], 'int32')).shape); // [2, 8, 8, 3]
 *   tf.dispose([...images.shards]);
 * }
 * ```
 */
export async function uploadImages(source: ImageSource, options: UploadImagesOptions = {}): Promise<PackedImages> {
  const { imagesPerChunk = 512, onProgress, signal } = options;
  if (!keepsImages()) {
    throw new Error(
      `uploadImages: the backend must keep images, got '${tf.getBackend()}', which does not. Ask keepsImages() first; if it is false, upload batches.`,
    );
  }
  const atLeastOne = { min: 1, integer: true };
  checkNumber('uploadImages', 'imagesPerChunk', imagesPerChunk, atLeastOne, 'Leave it out for 512.');
  checkNumber('uploadImages', 'source.length', source.length, atLeastOne, 'Pass at least one image.');
  const [height, width] = source.imageShape;
  const imageSize = [height, width] as const;
  const words = packedWords(imageSize);
  const checks: Promise<void>[] = [];
  const shards = runKernel('ReserveImages', {}, { images: source.length, words, checks });
  try {
    await Promise.all(checks);
    let start = 0;
    for (const shard of shards) {
      const images = shard.shape[0];
      for (let first = 0; first < images; first += imagesPerChunk) {
        signal?.throwIfAborted();
        const count = Math.min(imagesPerChunk, images - first);
        const pixels = await source.read(Int32Array.from({ length: count }, (_, i) => start + first + i));
        const chunk = tf.tensor2d(toWords(pixels, imageSize, count), [count, words], 'int32');
        runKernel('WriteImages', { shard, images: chunk }, { first });
        chunk.dispose();
        onProgress?.({ done: start + first + count, total: source.length });
      }
      start += images;
    }
  } catch (error) {
    tf.dispose(shards);
    throw error;
  }
  return { shards, imageSize, length: source.length };
}
