import * as tf from '@tensorflow/tfjs-core';
import { argumentError, checkNumber } from '@tfjs-ssl/checks';
import { imageTensor, type PackedImages, unpackImages } from '@tfjs-ssl/ops';

/** The images of {@link extractFeatures}: a data set, or your own object with these fields. */
export interface ImageSource {
  /** Number of images. */
  readonly length: number;
  /** Height, width, channels. */
  readonly imageShape: readonly [number, number, number];
  /** Reads images by index. The bytes of the images follow one another, each in the order of `imageShape`. */
  read(indices: ArrayLike<number>): Promise<Uint8Array>;
}

/** A function from images to features, or a `tf.LayersModel` such as the library's encoders. */
export type Encoder = ((images: tf.Tensor4D) => tf.Tensor) | EncoderModel;

/** The part of a `tf.LayersModel` that makes features. */
export interface EncoderModel {
  /** Returns the features of images in evaluation mode. */
  apply(images: tf.Tensor4D, options: { readonly training: false }): unknown;
}

/** After so many batches of kept images, the engine is waited for: it would be given all of them at once. */
const BATCHES_AHEAD = 8;

/** Options of {@link extractFeatures}. */
export interface ExtractFeaturesOptions {
  /** Number of images to encode together, an integer >= 1. It bounds the memory. Default: 256. */
  readonly batchSize?: number;
  /** A deterministic change of the images before the encoder, such as a normalisation. Images are [n, height, width, channels] in [0, 1]. Default: none. */
  readonly transform?: (images: tf.Tensor4D) => tf.Tensor4D;
  /** Called after every batch. */
  readonly onProgress?: (progress: { done: number; total: number }) => void;
}

/**
 * Computes the features of all images of a data set. A model runs in evaluation mode.
 *
 * Images enter as uint8 / 255. Batch norm uses its running statistics, and no variable of the encoder changes. Memory: one batch, and the features (4 bytes x
 * images x features, which is 205 MB for 100,000 images with 512 features).
 *
 * Images that the engine keeps, such as `kept` of an `imageFeed`, are not uploaded again, and their features stay on the engine, which has room for them twice.
 *
 * @param encoder - maps [n, height, width, channels], float32, to [n, features]. If it is a function, every tensor it makes is disposed, except its result.
 * @param images - the data set, or the images that `uploadImages` or `packImages` has made of it.
 * @param options - batch size, transform, progress.
 * @returns shape [images, features], float32, row i of image i; the caller disposes it.
 * @throws RangeError if there are no images, the source delivers too few bytes, the images have another size than the model was made for, or
 * the encoder does not return one row per image; TypeError if the source delivers something other than bytes.
 * @example
 * ```ts
 * import { extractFeatures } from '@tfjs-ssl/evaluation';
 * import { startEngine } from '@tfjs-ssl/engine';
 * import { generatedImages } from '@tfjs-ssl/datasets';
 * import { resnet18 } from '@tfjs-ssl/resnet';
 *
 * await startEngine('auto');
 * const images = await generatedImages({ classes: 2, imagesPerClass: 4, size: 32, seed: 0, split: 'val' });
 * const features = await extractFeatures(resnet18({ inputShape: [32, 32, 3], width: 8 }), images);
 * console.log(features.shape); // [ 8, 64 ]
 * ```
 */
export async function extractFeatures(
  encoder: Encoder,
  images: ImageSource | PackedImages,
  options: ExtractFeaturesOptions = {},
): Promise<tf.Tensor2D> {
  const { batchSize = 256, transform, onProgress } = options;
  const rule = { min: 1, integer: true };
  checkNumber('extractFeatures', 'batchSize', batchSize, rule, 'It is a number of images; leave it out for 256.');
  checkNumber('extractFeatures', 'images.length', images.length, rule, 'Pass a data set that has images.');
  const encode =
    typeof encoder === 'function'
      ? (encoder as (images: tf.Tensor4D) => tf.Tensor)
      : (input: tf.Tensor4D) => encoder.apply(input, { training: false }) as tf.Tensor;
  /** The features of images, whose tensors `input` makes. */
  const encodeBatch = (count: number, input: () => tf.Tensor4D): tf.Tensor2D => {
    const encoded = tf.tidy(() => {
      const changed = transform ? transform(input()) : input();
      if (typeof encoder !== 'function') checkFits(encoder as { readonly inputs?: unknown }, changed);
      return encode(changed);
    });
    checkFeatures(encoded, count);
    return encoded as tf.Tensor2D;
  };
  const total = images.length;
  const countFrom = (start: number) => Math.min(batchSize, total - start);
  if ('shards' in images) {
    const parts: tf.Tensor2D[] = [];
    try {
      for (let start = 0; start < total; start += batchSize) {
        const count = countFrom(start);
        parts.push(encodeBatch(count, () => unpackImages(images, tf.range(start, start + count, 1, 'int32'))));
        if (parts.length % BATCHES_AHEAD === 0) await waitFor(parts.at(-1) as tf.Tensor2D);
        onProgress?.({ done: start + count, total });
      }
      return tf.concat(parts);
    } finally {
      tf.dispose(parts);
    }
  }
  const imageSize = images.imageShape.reduce((product, size) => product * size, 1);
  let features: Float32Array | null = null;
  let width = 0;
  for (let start = 0; start < total; start += batchSize) {
    const count = countFrom(start);
    const pixels = await images.read(Int32Array.from({ length: count }, (_, i) => start + i));
    checkPixels(pixels, count, imageSize);
    const encoded = encodeBatch(count, () => imageTensor(pixels, [count, ...images.imageShape]));
    width = encoded.shape[1];
    features ??= new Float32Array(total * width);
    features.set(await encoded.data<'float32'>(), start * width);
    encoded.dispose();
    onProgress?.({ done: start + count, total });
  }
  return tf.tensor2d(features as Float32Array, [total, width]);
}

/** Waits until the engine has computed a tensor. */
async function waitFor(values: tf.Tensor2D): Promise<void> {
  const first = tf.slice(values, [0, 0], [1, 1]);
  await first.data();
  first.dispose();
}

/** Disposes the features and throws unless there is a row for each image. */
function checkFeatures(encoded: tf.Tensor, count: number): void {
  if (encoded.rank === 2 && encoded.shape[0] === count) return;
  encoded.dispose();
  throw argumentError({
    fn: 'extractFeatures',
    argument: 'encoder',
    required: `return shape [${count}, features] for ${count} images`,
    got: encoded.shape,
    shown: `[${encoded.shape.join(', ')}]`,
    advice: 'Pool its output first.',
  });
}

/** Throws unless the pixels are bytes, which floats in [0, 1] would be cut to, and as many as asked for. */
function checkPixels(pixels: Uint8Array, count: number, imageSize: number): void {
  const fault = { fn: 'extractFeatures', argument: 'images.read' };
  if (!(pixels instanceof Uint8Array || (pixels as unknown) instanceof Uint8ClampedArray)) {
    throw argumentError({
      ...fault,
      kind: 'type',
      required: 'deliver a Uint8Array',
      got: pixels,
      shown: `a ${(pixels as object)?.constructor?.name ?? String(pixels)}`,
      advice: 'Deliver values of 0 to 255 as bytes; floats in [0, 1] times 255.',
    });
  }
  if (pixels.length === count * imageSize) return;
  const required = `deliver ${count * imageSize} bytes for ${count} images`;
  throw argumentError({ ...fault, required, got: pixels.length, advice: 'Check imageShape.' });
}

/** Throws if a model was made for images of another size: it would compute something all the same. */
function checkFits(model: { readonly inputs?: unknown }, images: tf.Tensor4D): void {
  const [input] = (Array.isArray(model.inputs) ? model.inputs : []) as Array<{ shape?: Array<number | null> }>;
  const made = input?.shape?.slice(1);
  if (!made || made.every((size, i) => size === null || size === images.shape[i + 1])) return;
  throw argumentError({
    fn: 'extractFeatures',
    argument: 'images',
    required: `have the shape that the encoder was made for, [${made.map((size) => size ?? 'any')}]`,
    got: images.shape.slice(1),
    advice: 'Read them in that size, resize them in `transform`, or make the encoder for theirs.',
  });
}
