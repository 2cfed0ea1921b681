import { type FileHandle, mkdir, open, rm } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { crc32 } from 'node:zlib';
import { removeAbandoned, replaceFile, temporaryName } from '@tfjs-ssl/files';
import { fill } from '../workers/read-at.js';

// A cache file: a header of 32 bytes, the pixels of all images in order, and a footer of JSON that says what they are.
//   0 magic, 8 bytes | 8 offset of the footer, f64 | 16 its length, u32 | 20 its CRC-32, u32 | 24 CRC-32 of bytes 0..23, u32
const magic = 'TFJSSLI1';
const headerSize = 32;

/** What a cache file says of itself. */
export interface CacheDescription {
  /** Of the source, the selection and the decoder: another one makes the cache stale. */
  readonly fingerprint: string;
  /** Number of images, with those that failed (zeros). */
  readonly count: number;
  readonly imageBytes: number;
  /** Images that share a checksum. */
  readonly perChunk: number;
  /** Images that could not be decoded. */
  readonly failures: ReadonlyArray<{ readonly position: number; readonly reason: string }>;
}

interface Footer extends CacheDescription {
  readonly checksums: readonly number[];
}

/** A cache file open for reading. */
export interface ImageCache extends CacheDescription {
  readonly file: FileHandle;
  /** Where image 0 starts, bytes. */
  readonly start: number;
  /** Reads all images chunk by chunk; false as soon as a checksum is wrong. */
  verify(consume: (chunk: number, pixels: Uint8Array) => void): Promise<boolean>;
}

/** Opens a cache file, or says why it cannot be used: then it is to be made again. */
export async function openImageCache(path: string, fingerprint: string): Promise<ImageCache | { unusable: string }> {
  const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (!file) return { unusable: 'there is no cache yet' };
  const footer = await readFooter(file).catch(async (error: unknown) => {
    await file.close();
    throw error;
  });
  if (!footer || footer.fingerprint !== fingerprint) {
    await file.close();
    return { unusable: footer ? 'the source or the decoder has changed' : 'the cache is damaged' };
  }
  const { checksums, ...description } = footer;
  const { count, imageBytes, perChunk } = footer;
  return {
    ...description,
    file,
    start: headerSize,
    async verify(consume) {
      for (const [chunk, expected] of checksums.entries()) {
        const images = Math.min(perChunk, count - chunk * perChunk);
        const pixels = new Uint8Array(images * imageBytes);
        if (!(await fill(file, pixels, headerSize + chunk * perChunk * imageBytes))) return false;
        if (crc32(pixels) !== expected) return false;
        consume(chunk, pixels);
      }
      return true;
    },
  };
}

async function readFooter(file: FileHandle): Promise<Footer | null> {
  const header = Buffer.alloc(headerSize);
  if (!(await fill(file, header, 0))) return null;
  if (header.toString('latin1', 0, 8) !== magic || header.readUInt32LE(24) !== crc32(header.subarray(0, 24)))
    return null;
  const json = Buffer.alloc(header.readUInt32LE(16));
  if (!(await fill(file, json, header.readDoubleLE(8))) || crc32(json) !== header.readUInt32LE(20)) return null;
  return JSON.parse(json.toString()) as Footer;
}

/** A cache file that is being made under a temporary name. */
export interface ImageCacheWriter {
  /** Writes one chunk; chunks may come in any order. */
  write(chunk: number, pixels: Uint8Array, checksum: number): Promise<void>;
  /** Puts the finished file in its place at once, so that no reader ever sees half of one. */
  commit(failures: CacheDescription['failures']): Promise<void>;
  /** Removes what was written. */
  abort(): Promise<void>;
}

/** Starts a cache file. */
export async function createImageCache(
  path: string,
  description: Omit<CacheDescription, 'failures'>,
): Promise<ImageCacheWriter> {
  await mkdir(dirname(path), { recursive: true });
  const part = temporaryName(path);
  const file = await open(part, 'wx');
  await removeAbandoned(part, (name) => name === basename(path)).catch(() => {}); // what is left can wait
  const { count, imageBytes, perChunk } = description;
  const checksums: number[] = [];
  const abort = async (): Promise<void> => {
    await file.close().catch(() => {});
    await rm(part, { force: true });
  };
  return {
    async write(chunk, pixels, checksum) {
      checksums[chunk] = checksum;
      await writeAll(file, pixels, headerSize + chunk * perChunk * imageBytes);
    },
    async commit(failures) {
      const footer = Buffer.from(JSON.stringify({ ...description, failures, checksums } satisfies Footer));
      const offset = headerSize + count * imageBytes;
      const header = Buffer.alloc(headerSize);
      header.write(magic, 'latin1');
      header.writeDoubleLE(offset, 8);
      header.writeUInt32LE(footer.length, 16);
      header.writeUInt32LE(crc32(footer), 20);
      header.writeUInt32LE(crc32(header.subarray(0, 24)), 24);
      await writeAll(file, footer, offset);
      await writeAll(file, header, 0);
      await file.close();
      await replaceFile(part, path);
    },
    abort,
  };
}

async function writeAll(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}
