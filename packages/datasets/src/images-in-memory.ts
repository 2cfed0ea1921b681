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
  if (![height, width].every((side) => Number.isInteger(side) && side > 0)) {
    throw new RangeError(
      `imagesInMemory: size must be whole pixels from 1, got ${String(size)}. Pass the side of the images.`,
    );
  }
  const imageShape = [height, width, 3] as const;
  const imageBytes = bytesPerImage(imageShape);
  const pixels = Array.isArray(images) ? joined(images, height, width) : bytesOf(images, 'images');
  const length = pixels.length / imageBytes;
  if (!Number.isInteger(length) || length === 0) {
    throw new RangeError(
      `imagesInMemory: images must be whole images of ${imageBytes} bytes (${height} by ${width} pixels, RGB), at least one, got ${pixels.length} bytes. Check size; drop alpha.`,
    );
  }
  const store = memoryStore(pixels, imageBytes);
  const labels = labelsOf(options.labels, length);
  const classes = labels.reduce((most, label) => Math.max(most, label + 1), 1);
  const classNames = options.classNames ?? Array.from({ length: classes }, (_, i) => String(i));
  if (classNames.length < classes) {
    throw new RangeError(
      `imagesInMemory: classNames must have a name for each of ${classes} classes, got ${classNames.length}. Name all, or leave them out.`,
    );
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
      throw new RangeError(
        `imagesInMemory: images[${i}] must have ${height} by ${width} pixels (${channels} bytes each), got ${got}. Draw it at that size.`,
      );
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
  const got = Object.prototype.toString.call(pixels).slice(8, -1);
  throw new TypeError(
    `imagesInMemory: ${what} must be a Uint8Array or Uint8ClampedArray of values from 0 to 255, got ${got}. Floats in [0, 1] times 255, rounded, are such.`,
  );
}

function labelsOf(labels: ArrayLike<number> | undefined, length: number): Int32Array {
  if (!labels) return new Int32Array(length);
  const bad = Array.from(labels).findIndex((label) => !(Number.isInteger(label) && label >= 0));
  if (labels.length !== length || bad >= 0) {
    const got = bad >= 0 ? `${labels[bad]} at position ${bad}` : `${labels.length}`;
    throw new RangeError(
      `imagesInMemory: labels must be ${length} whole numbers from 0, one for each image, got ${got}. Leave them out where there are none.`,
    );
  }
  return Int32Array.from(labels);
}
