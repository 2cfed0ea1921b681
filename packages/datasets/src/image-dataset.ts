import { argumentError } from '@tfjs-ssl/checks';
/** A file that was left out. */
export interface SkippedImage {
  /** Path inside the data set. */
  readonly file: string;
  readonly reason: string;
}

/** Progress of preparing a data set. */
export interface DatasetProgress {
  /** `decode`: images are decoded; `check`: the cache of an earlier run is verified. */
  readonly phase: 'decode' | 'check';
  /** Images done. */
  readonly done: number;
  /** Images in all. */
  readonly total: number;
  /** Why images are decoded: there is no cache yet, its source has changed, it is damaged. */
  readonly reason?: string;
}

/**
 * Labelled images of one size, read by index: uint8 RGB, row by row.
 *
 * @see `batches` for shuffled batches with one batch read ahead.
 */
export interface ImageDataset {
  /** Name of the data set; this package uses `'tiny-imagenet'`, `'folder'`, `'generated'` and `'memory'`. */
  readonly name: string;
  readonly split: 'train' | 'val';
  /** Number of images. */
  readonly length: number;
  /** Height and width in pixels, and 3 channels. */
  readonly imageShape: readonly [height: number, width: number, channels: 3];
  /** Name of each class; a label is a position in this list. */
  readonly classNames: readonly string[];
  /** Class of each image, shape [length]. */
  readonly labels: Int32Array;
  /** Files left out: images because of `onCorrupt: 'skip'`, and others that lie among them. */
  readonly skipped: readonly SkippedImage[];
  /**
   * Reads images.
   *
   * @param indices - positions in the data set, 0 to length - 1, in any order; they may repeat.
   * @param out - buffer to fill and return, if given; indices.length * height * width * 3 bytes.
   * @returns shape [indices.length, height, width, 3], uint8.
   * @throws RangeError for an index out of range or an `out` of another length.
   */
  read(indices: ArrayLike<number>, out?: Uint8Array): Promise<Uint8Array>;
  /** Closes its files. Reading afterwards is an error; closing twice is not. */
  close(): Promise<void>;
}

/** Bytes of one image of a shape. */
export function bytesPerImage(shape: readonly [number, number, 3]): number {
  return shape[0] * shape[1] * shape[2];
}

/** Checks what `read` is given and returns the buffer to fill. */
export function readTarget(
  indices: ArrayLike<number>,
  out: Uint8Array | undefined,
  length: number,
  imageBytes: number,
): Uint8Array {
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i] as number;
    if (!Number.isInteger(index) || index < 0 || index >= length) {
      throw argumentError({
        fn: 'read',
        argument: 'indices',
        required: `be integers in [0, ${length})`,
        got: index,
        shown: `${index} at position ${i}`,
        advice: 'Pass positions of images in the data set.',
      });
    }
  }
  const expected = indices.length * imageBytes;
  if (out && out.length !== expected) {
    throw argumentError({
      fn: 'read',
      argument: 'out',
      required: `have ${expected} bytes, for ${indices.length} images of ${imageBytes}`,
      got: out.length,
      advice: 'Leave it out, or make it of that size.',
    });
  }
  return out ?? new Uint8Array(expected);
}
