import * as tf from '@tensorflow/tfjs-core';
import { hasKernel } from './has-kernel.ts';

/**
 * 8-bit images that stay in the memory of an engine, four bytes to a word.
 *
 * An image is its bytes (RGB, row by row) as little-endian words, the last one filled up with zeros. A data set larger than one buffer
 * may be lies in several shards.
 *
 * @see {@link packImages} and {@link uploadImages}, which make them.
 */
export interface PackedImages {
  /** int32, shape [images, words]; all of the same number of images, but for the last, which may have fewer. */
  readonly shards: readonly tf.Tensor2D[];
  /** Height and width of every image, pixels. */
  readonly imageSize: readonly [height: number, width: number];
  /** Images in all shards. */
  readonly length: number;
}

/** Words of one packed image of three channels. */
export function packedWords([height, width]: readonly [number, number]): number {
  return Math.ceil((height * width * 3) / 4);
}

/** Bytes of whole images as words, each image filled up to a whole word. */
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
 * @param imagesPerShard - images in a shard. Default: all, in one.
 * @returns new tensors, which the caller (or the surrounding `tf.tidy`) disposes.
 * @throws RangeError where the bytes are not whole images, at least one.
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
    throw new RangeError(
      `packImages: pixels must be whole images of ${imageBytes} bytes, at least one, got ${pixels.length} bytes. Check imageSize.`,
    );
  }
  const perShard = imagesPerShard ?? length;
  if (!Number.isInteger(perShard) || perShard < 1) {
    throw new RangeError(`packImages: imagesPerShard must be an integer of at least 1, got ${perShard}. Leave it out.`);
  }
  const shards: tf.Tensor2D[] = [];
  for (let first = 0; first < length; first += perShard) {
    const images = Math.min(perShard, length - first);
    const part = pixels.subarray(first * imageBytes, (first + images) * imageBytes);
    shards.push(tf.tensor2d(toWords(part, imageSize, images), [images, packedWords(imageSize)], 'int32'));
  }
  return { shards, imageSize: [imageSize[0], imageSize[1]], length };
}

/** Where images come from: an `ImageDataset` of `@tfjs-ssl/datasets`, or anything like it. */
export interface ImageSource {
  /** Number of images. */
  readonly length: number;
  readonly imageShape: readonly [height: number, width: number, channels: 3];
  /** Reads images by position: shape [indices.length, height, width, 3], uint8. */
  read(indices: ArrayLike<number>): Promise<Uint8Array>;
}

/** Options of {@link uploadImages}. */
export interface UploadImagesOptions {
  /** Images read at a time. Default: 512. */
  readonly imagesPerChunk?: number;
  /** Called after every chunk. */
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void;
  /** Ends the upload: what was uploaded is freed and the signal's reason thrown. */
  readonly signal?: AbortSignal;
}

/** What the kernel `ReserveImages` is given. */
export interface ReserveImagesAttributes {
  /** Images in all. */
  readonly images: number;
  /** Words of each. */
  readonly words: number;
  /** The kernel may add promises that reject where the memory turns out not to be there. */
  readonly checks: Promise<void>[];
}

/** Whether the current engine can keep a data set in its memory and make views of it; {@link uploadImages} says if it is large enough. */
export function keepsImages(): boolean {
  return ['ReserveImages', 'WriteImages', 'AugmentPackedImages'].every(hasKernel);
}

/**
 * Puts a whole data set into the memory of the engine, once, so that a step uploads indices only.
 *
 * The engine implements two kernels for it. `ReserveImages` (attributes as {@link ReserveImagesAttributes}) returns the shards, int32
 * [images, words], as many as its buffers demand, all of one number of images but for the last; it throws where there is not the memory.
 * `WriteImages` (inputs `shard` and `images`, int32 [n, words]; attribute `first`) writes rows into a shard, in place; no outputs.
 *
 * @param source - the images.
 * @param options - see {@link UploadImagesOptions}.
 * @returns the images; the caller disposes the shards.
 * @throws Error where the engine keeps no images (see {@link keepsImages}), or RangeError where its memory cannot hold them.
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
      `uploadImages: the backend '${tf.getBackend()}' keeps no images. Ask keepsImages() first, and upload batches where it is false.`,
    );
  }
  if (!Number.isInteger(imagesPerChunk) || imagesPerChunk < 1 || source.length < 1) {
    throw new RangeError(
      `uploadImages: imagesPerChunk and the number of images must be at least 1, got ${imagesPerChunk} and ${source.length}. Pass some images.`,
    );
  }
  const [height, width] = source.imageShape;
  const imageSize = [height, width] as const;
  const words = packedWords(imageSize);
  const checks: Promise<void>[] = [];
  const attributes: ReserveImagesAttributes = { images: source.length, words, checks };
  const shards = tf
    .engine()
    .runKernel('ReserveImages', {}, attributes as unknown as tf.NamedAttrMap) as unknown as tf.Tensor2D[];
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
        tf.engine().runKernel('WriteImages', { shard, images: chunk }, { first });
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
