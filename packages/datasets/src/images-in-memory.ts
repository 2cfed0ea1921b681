import { argumentError, checkNumber, showKind } from '@tfjs-ssl/checks';
import { bytesPerImage, type ImageDataset, readTarget } from './image-dataset.ts';
import { memoryStore } from './memory-store.ts';

/** Pixels of one image: RGB bytes row by row, or RGBA as a canvas gives them (`ImageData`), whose alpha is dropped. */
export type ImagePixels =
  | Uint8Array
  | Uint8ClampedArray
  | { readonly width: number; readonly height: number; readonly data: Uint8Array | Uint8ClampedArray };

/** Options of `imagesInMemory`. */
export interface ImagesInMemoryOptions {
  /** Side of every image, pixels; or height and width. */
  readonly size: number | readonly [height: number, width: number];
  /** Class of each image, integers from 0. Default: all images have the same class. */
  readonly labels?: ArrayLike<number>;
  /** Name of each class. Default: the number of the class as text. */
  readonly classNames?: readonly string[];
  /** Name of the data set. Default: `'memory'`. */
  readonly name?: string;
  /** Default: `'train'`. */
  readonly split?: 'train' | 'val';
}

/**
 * Makes a data set of images that are already in memory, in Node and in browsers.
 *
 * @param images - all images as one array of shape [N, height, width, 3], uint8, which is not copied, so do not change it;
 * or a list of images, which is copied.
 * @param options - see {@link ImagesInMemoryOptions}.
 * @returns the data set; there is nothing to close.
 * @throws TypeError if pixels are not bytes; RangeError if they are not one or more complete images of the size, or labels do not fit.
 * @example
 * ```ts
 * import { imagesInMemory } from '@tfjs-ssl/datasets';
 *
 * const bytes = new Uint8Array(3 * 32 * 32 * 3); // three images of 32 by 32 pixels; yours here
 * const dataset = imagesInMemory(bytes, { size: 32, labels: [0, 1, 1], classNames: ['daisy', 'rose'] });
 * console.log(dataset.length, dataset.classNames[dataset.labels[2]!]); // 3 rose
 * ```
 */
export function imagesInMemory(
  images: Uint8Array | Uint8ClampedArray | readonly ImagePixels[],
  options: ImagesInMemoryOptions,
): ImageDataset {
  const { size, name = 'memory', split = 'train' } = options;
  const [height, width] = typeof size === 'number' ? [size, size] : size;
  for (const side of [height, width]) {
    checkNumber('imagesInMemory', 'size', side, { min: 1, integer: true }, 'Pass the side of the images in pixels.');
  }
  const imageShape = [height, width, 3] as const;
  const imageBytes = bytesPerImage(imageShape);
  const pixels = Array.isArray(images) ? joined(images, height, width) : bytesOf(images, 'images');
  const length = pixels.length / imageBytes;
  if (!Number.isInteger(length) || length === 0) {
    throw argumentError({
      fn: 'imagesInMemory',
      argument: 'images',
      required: `hold whole RGB images of ${height} by ${width} pixels (${imageBytes} bytes each), at least one`,
      got: pixels.length,
      shown: `${pixels.length} bytes`,
      advice: 'Check size; leave the alpha channel out.',
    });
  }
  const store = memoryStore(pixels, imageBytes);
  const labels = labelsOf(options.labels, length);
  const classes = labels.reduce((most, label) => Math.max(most, label + 1), 1);
  const classNames = options.classNames ?? Array.from({ length: classes }, (_, i) => String(i));
  if (classNames.length < classes) {
    throw argumentError({
      fn: 'imagesInMemory',
      argument: 'classNames',
      required: `hold ${classes} names, one per class`,
      got: classNames.length,
      advice: 'Name all classes, or leave classNames out.',
    });
  }
  return {
    name,
    split,
    length,
    imageShape,
    classNames,
    labels,
    skipped: [],
    async read(indices, out) {
      const target = readTarget(indices, out, length, imageBytes);
      await store.read(Int32Array.from(indices), target);
      return target;
    },
    async close() {},
  };
}

/** Images one after another, RGB. */
function joined(images: readonly ImagePixels[], height: number, width: number): Uint8Array {
  const pixelsPerImage = height * width;
  const all = new Uint8Array(images.length * pixelsPerImage * 3);
  for (const [i, image] of images.entries()) {
    const hasSides = 'width' in image;
    const bytes = bytesOf(hasSides ? image.data : image, `images[${i}]`);
    const channels = hasSides ? 4 : 3;
    const fits =
      bytes.length === pixelsPerImage * channels && (!hasSides || (image.height === height && image.width === width));
    if (!fits) {
      const got = hasSides
        ? `${image.height} by ${image.width} pixels of ${bytes.length} bytes`
        : `${bytes.length} bytes`;
      throw argumentError({
        fn: 'imagesInMemory',
        argument: `images[${i}]`,
        required: `have ${height} by ${width} pixels of ${channels} bytes each`,
        got: bytes.length,
        shown: got,
        advice: 'Draw the image at that size.',
      });
    }
    const target = all.subarray(i * pixelsPerImage * 3, (i + 1) * pixelsPerImage * 3);
    if (channels === 3) target.set(bytes);
    else for (let at = 0; at < target.length; at++) target[at] = bytes[at + Math.floor(at / 3)] as number;
  }
  return all;
}

function bytesOf(pixels: unknown, what: string): Uint8Array {
  if (pixels instanceof Uint8Array) return pixels;
  if (pixels instanceof Uint8ClampedArray) return new Uint8Array(pixels.buffer, pixels.byteOffset, pixels.length);
  throw argumentError({
    kind: 'type',
    fn: 'imagesInMemory',
    argument: what,
    required: 'be a Uint8Array or Uint8ClampedArray of values from 0 to 255',
    got: pixels,
    shown: showKind(pixels),
    advice: 'Multiply floats in [0, 1] by 255 and round them.',
  });
}

function labelsOf(labels: ArrayLike<number> | undefined, length: number): Int32Array {
  if (!labels) return new Int32Array(length);
  const bad = Array.from(labels).findIndex((label) => !(Number.isInteger(label) && label >= 0));
  if (labels.length !== length || bad >= 0) {
    const got = bad >= 0 ? `${labels[bad]} at position ${bad}` : `${labels.length}`;
    throw argumentError({
      fn: 'imagesInMemory',
      argument: 'labels',
      required: `be ${length} integers of at least 0, one per image`,
      got: bad >= 0 ? labels[bad] : labels.length,
      shown: got,
      advice: 'Leave labels out if there are none.',
    });
  }
  return Int32Array.from(labels);
}
