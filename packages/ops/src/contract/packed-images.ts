import type * as tf from '@tensorflow/tfjs-core';

/**
 * 8-bit images in the memory of an engine, four bytes to a word.
 *
 * The bytes of an image (RGB, row by row) are little-endian words; zeros fill up the last word. A data set that is too large for one buffer has
 * several shards.
 *
 * @see `packImages` and `uploadImages`, which make them.
 */
export interface PackedImages {
  /** int32, shape [images, words]. All shards have the same number of images, except the last, which may have fewer. */
  readonly shards: readonly tf.Tensor2D[];
  /** Height and width of every image, pixels. */
  readonly imageSize: readonly [height: number, width: number];
  /** Number of images in all shards. */
  readonly length: number;
}

/** Number of words of one packed image with three channels. */
export function packedWords([height, width]: readonly [number, number]): number {
  return Math.ceil((height * width * 3) / 4);
}

/** Attributes of the kernel `ReserveImages`. */
export interface ReserveImagesAttributes {
  /** Number of images. */
  readonly images: number;
  /** Words of each image. */
  readonly words: number;
  /** The kernel may add promises that reject if the memory turns out to be missing. */
  readonly checks: Promise<void>[];
}
