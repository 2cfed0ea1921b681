import type { DecodedImage } from '../workers/decode-worker.js';
import { checkResize, checkSize } from './dataset-options.ts';
import { decodeOnWorkers, workerCount } from './decode-pool.ts';

/** Options of `decodeImages`. */
export interface DecodeImagesOptions {
  /** Side of the square that each image is fitted to, pixels; default: every image keeps its size. */
  readonly size?: number;
  /** How an image is fitted: `crop` (default) or `stretch`, as in `imageFolder`. */
  readonly resize?: 'crop' | 'stretch';
  /** Decoding threads; default: one per processor that this process may use, at most 8. */
  readonly workers?: number;
}

/** Pixels of an image: RGB, row by row. */
export interface DecodedPixels {
  /** Pixels. */
  readonly width: number;
  /** Pixels. */
  readonly height: number;
  /** Shape [height, width, 3], uint8. */
  readonly data: Uint8Array;
}

/**
 * Decodes JPEG and PNG files in parallel, to the bytes that Pillow's `Image.open(file).convert('RGB')` gives.
 *
 * Gray images are repeated to three channels, alpha is dropped, the EXIF orientation is left alone. CMYK and YCCK become RGB
 * without a colour profile. Of 16 bits the upper eight count; gray of 16 bits without alpha is cut off at 255, as Pillow does.
 * Damaged files are refused, those included that Pillow fills up with gray.
 *
 * @param files - the encoded bytes of each image.
 * @returns the images in the order of `files`.
 * @throws Error that names the position of a file that cannot be decoded.
 * @example
 * ```ts
 * import { readFile } from 'node:fs/promises';
 * import { decodeImages } from '@tfjs-ssl/datasets';
 *
 * const [image] = await decodeImages([await readFile('cat.jpg')], { size: 64 });
 * ```
 */
export async function decodeImages(
  files: readonly Uint8Array[],
  options: DecodeImagesOptions = {},
): Promise<DecodedPixels[]> {
  const { size, resize = 'crop' } = options;
  const workers = Math.min(workerCount('decodeImages', options.workers), Math.max(1, files.length));
  checkResize('decodeImages', resize);
  if (size !== undefined) checkSize('decodeImages', size);
  const perTask = 16;
  const decoded: DecodedPixels[] = [];
  await decodeOnWorkers(
    tasks(files, perTask, size === undefined ? null : { mode: resize, size }),
    (task, { pixels, images, failures }) => {
      const first = task * perTask;
      const failure = failures[0];
      if (failure) {
        throw new Error(
          `decodeImages: file ${first + failure.position} ${failure.reason}. Leave it out, or replace it.`,
        );
      }
      const count = Math.min(perTask, files.length - first);
      for (let i = 0; i < count; i++) {
        decoded[first + i] = size === undefined ? (images[i] as DecodedImage) : square(pixels, i, size);
      }
    },
    { workers },
  );
  return decoded;
}

function* tasks(files: readonly Uint8Array[], perTask: number, fit: { mode: 'crop' | 'stretch'; size: number } | null) {
  for (let first = 0; first < files.length; first += perTask) {
    const sources = files.slice(first, first + perTask).map((bytes, i) => ({ name: `${first + i}`, bytes }));
    yield { sources, fit };
  }
}

function square(pixels: Uint8Array, position: number, size: number): DecodedPixels {
  const bytes = size * size * 3;
  return { width: size, height: size, data: pixels.subarray(position * bytes, (position + 1) * bytes) };
}
