import type { FileHandle } from 'node:fs/promises';
import { fill } from '../workers/read-at.js';

/** Pixels of many images of one size, by position. */
export interface ImageStore {
  /** Fills `out` with the images at the positions, one after another. */
  read(positions: Int32Array, out: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

/** Pixels in a file, read in place. */
export function fileStore(file: FileHandle, start: number, imageBytes: number): ImageStore {
  const atOnce = 256;
  return {
    async read(positions, out) {
      for (let first = 0; first < positions.length; first += atOnce) {
        // Started together, the reads go on in threads of their own while the caller computes.
        const group = Array.from(positions.subarray(first, first + atOnce), (position, i) => {
          const at = (first + i) * imageBytes;
          return fill(file, out.subarray(at, at + imageBytes), start + position * imageBytes);
        });
        if ((await Promise.all(group)).includes(false)) {
          throw new Error('read: another program cut the open cache file short. Open the data set again.');
        }
      }
    },
    close: () => file.close(),
  };
}
