import { argumentError, checkNumber } from '@tfjs-ssl/checks';
import { type ImageSize, toImageSize } from './check.ts';
import type { ImageKey } from './image-rng.ts';

/** Options of `Chain.makeViews`. */
export interface ViewOptions {
  /** Seed of the run. */
  readonly seed: number | string;
  /** Epoch, an integer. */
  readonly epoch: number;
  /** Indices of the N images in their data set. */
  readonly indices: ArrayLike<number>;
  /** Views of each image. Default: 2. */
  readonly views?: number;
}

/** Options of `Chain.sampleTable`. */
export interface SampleOptions extends ViewOptions {
  /** Height and width of these images, pixels. */
  readonly imageSize: number | ImageSize;
}

/** The keys of all views of a batch, view after view, and the size of its images; checked. */
export function viewKeys(
  fn: string,
  { seed, epoch, indices, imageSize, views = 2 }: SampleOptions,
): { readonly keys: readonly ImageKey[]; readonly size: ImageSize } {
  checkNumber(fn, 'epoch', epoch, { min: 0, integer: true }, 'Count epochs from 0.');
  checkNumber(fn, 'views', views, { min: 1, integer: true }, 'A contrastive loss needs 2.');
  const size = toImageSize(fn, 'imageSize', imageSize);
  if (typeof seed !== 'string')
    checkNumber(fn, 'seed', seed, {}, 'Pass a number or a text, the same for the whole run.');
  const images = Array.from(indices ?? []);
  const wrong = images.find((index) => !Number.isInteger(index));
  if (images.length === 0 || wrong !== undefined) {
    throw argumentError({
      fn,
      argument: 'indices',
      required: 'be integers, one per image',
      got: wrong,
      shown: String(wrong ?? 'none'),
      advice: 'Pass the positions of the images in their data set.',
    });
  }
  const keys = Array.from({ length: views }, (_, view) => images.map((image) => ({ seed, epoch, image, view })));
  return { keys: keys.flat(), size };
}

/** Throws unless there is one index for each of `count` images. */
export function checkIndices(indices: ArrayLike<number>, count: number): void {
  if (indices?.length === count) return;
  throw argumentError({
    fn: 'makeViews',
    argument: 'indices',
    required: `hold ${count} elements, one per image`,
    got: indices?.length ?? 0,
    advice: 'Pass the positions of these images in their data set.',
  });
}

/** Throws unless there are some rows for each of `count` images. */
export function checkRows(rows: number, count: number): void {
  if (rows % count === 0 && rows > 0) return;
  throw argumentError({
    fn: 'chain',
    argument: 'parameters',
    required: `have a multiple of ${count} rows, one per view of each image`,
    got: rows,
    advice: 'Sample the table for these images.',
  });
}
