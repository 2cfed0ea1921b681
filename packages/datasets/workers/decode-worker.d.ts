import type { FileReference } from './file-reader.js';

/** One image to decode: where it lies, or its bytes. */
export type ImageSource = FileReference | { readonly name: string; readonly bytes: Uint8Array };

/** How a decoded image gets its size: it must have it already, or it is made to fit. */
export interface Fit {
  readonly mode: 'exact' | 'crop' | 'stretch';
  /** Side of the square, pixels. */
  readonly size: number;
}

/** What the worker is sent: images that are decoded one after another. */
export interface DecodeTask {
  readonly sources: readonly ImageSource[];
  /** null keeps each image's own size. */
  readonly fit: Fit | null;
}

/** Pixels of one image, RGB, row by row. */
export interface DecodedImage {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array<ArrayBuffer>;
}

/** What the worker sends back. With a `fit` all pixels lie in `pixels`, else in `images`. */
export interface DecodeResult {
  /** Shape [sources, size, size, 3]; zeros where an image failed. */
  readonly pixels: Uint8Array<ArrayBuffer>;
  /** CRC-32 of `pixels`. */
  readonly checksum: number;
  readonly images: readonly DecodedImage[];
  /** What failed: position in `sources`, the reason, and whether the system, not the image, is at fault. */
  readonly failures: ReadonlyArray<{
    readonly position: number;
    readonly reason: string;
    readonly unreadable: boolean;
  }>;
}
