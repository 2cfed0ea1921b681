/** Where the bytes of one image are. */
export interface FileReference {
  /** Name for messages: the path inside the data set. */
  readonly name: string;
  /** The file itself, or the zip that holds it. */
  readonly path: string;
  /** The place inside the zip; absent where `path` is the file itself. */
  readonly entry?: ZipEntry;
}

/** What a zip's central directory says of one file. */
export interface ZipEntry {
  /** Offset of the local header, bytes from the start of the zip. */
  readonly offset: number;
  readonly compressedSize: number;
  readonly size: number;
  /** 0 stored, 8 deflated. */
  readonly method: number;
  /** CRC-32 of the inflated bytes. */
  readonly crc: number;
}

/**
 * Reads one file, or one entry of a zip in place by positioned reads, inflated and checked against its CRC-32.
 *
 * @throws Error with the reason alone (`'is empty (0 bytes)'`); the caller names the file.
 */
export function readReference(reference: FileReference): Uint8Array;
