import { type FileHandle, open } from 'node:fs/promises';
import type { ZipEntry } from '../workers/file-reader.js';

const endSize = 22;
const longestComment = 0xffff;
const locatorSize = 20;
const end64Size = 56;
const entrySize = 46;

/**
 * Lists a zip by its central directory alone, Zip64 included: the files themselves are not touched.
 *
 * The archive of Tiny ImageNet has 110,203 entries, more than the 65,535 of a plain zip. General readers take seconds for
 * it, because they make an object with dates and flags per entry; this takes 0.2 s.
 *
 * @param path - the zip.
 * @returns entries by name, folders left out.
 * @throws Error that names the zip and says whether it is none, is cut short, or is damaged.
 */
export async function readZipDirectory(path: string): Promise<Map<string, ZipEntry>> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const directory = await locateDirectory(file, size, path);
    const bytes = await readAt(file, directory.offset, directory.length);
    return parseDirectory(bytes, directory.count, directory.offset, path);
  } finally {
    await file.close();
  }
}

interface Directory {
  readonly offset: number;
  readonly length: number;
  readonly count: number;
}

async function locateDirectory(file: FileHandle, size: number, path: string): Promise<Directory> {
  const tail = await readAt(
    file,
    Math.max(0, size - endSize - longestComment),
    Math.min(size, endSize + longestComment),
  );
  const end = findEnd(tail);
  if (end < 0) {
    const start = await readAt(file, 0, Math.min(size, 4));
    const isZip = start.length === 4 && start.readUInt32LE(0) === 0x04034b50;
    throw new Error(
      isZip
        ? `readZipDirectory: ${path} is cut short: the directory at its end is missing. Fetch or copy it again.`
        : `readZipDirectory: ${path} is not a zip. Give the path of tiny-imagenet-200.zip or of the unpacked folder.`,
    );
  }
  let count = tail.readUInt16LE(end + 10);
  let length = tail.readUInt32LE(end + 12);
  let offset = tail.readUInt32LE(end + 16);
  let limit = size - tail.length + end;
  if (count === 0xffff || length === 0xffffffff || offset === 0xffffffff) {
    // Zip64: a locator before the end record points at a longer one. Without a locator the values mean what they say.
    const locator = end >= locatorSize ? end - locatorSize : -1;
    if (locator >= 0 && tail.readUInt32LE(locator) === 0x07064b50) {
      const position = Number(tail.readBigUInt64LE(locator + 8));
      const end64 = position + end64Size <= size ? await readAt(file, position, end64Size) : Buffer.alloc(4);
      if (end64.readUInt32LE(0) !== 0x06064b50) throw damaged(path, 'its Zip64 record is missing');
      count = Number(end64.readBigUInt64LE(32));
      length = Number(end64.readBigUInt64LE(40));
      offset = Number(end64.readBigUInt64LE(48));
      limit = position;
    }
  }
  if (offset + length > limit || count * entrySize > length) {
    throw damaged(path, `its directory should lie at ${offset} to ${offset + length} of ${size} bytes`);
  }
  return { offset, length, count };
}

/** The last end record whose comment reaches just to the end of the file. */
function findEnd(tail: Buffer): number {
  for (let at = tail.length - endSize; at >= 0; at--) {
    if (tail.readUInt32LE(at) === 0x06054b50 && at + endSize + tail.readUInt16LE(at + 20) === tail.length) return at;
  }
  return -1;
}

function parseDirectory(bytes: Buffer, count: number, limit: number, path: string): Map<string, ZipEntry> {
  const entries = new Map<string, ZipEntry>();
  let at = 0;
  for (let index = 0; index < count; index++) {
    if (at + entrySize > bytes.length || bytes.readUInt32LE(at) !== 0x02014b50) {
      throw damaged(path, `entry ${index} of ${count} of its directory is not readable`);
    }
    const nameLength = bytes.readUInt16LE(at + 28);
    const extraLength = bytes.readUInt16LE(at + 30);
    const next = at + entrySize + nameLength + extraLength + bytes.readUInt16LE(at + 32);
    if (next > bytes.length) throw damaged(path, `entry ${index} of ${count} of its directory is cut`);
    const name = bytes.toString('utf8', at + entrySize, at + entrySize + nameLength);
    if (!name.endsWith('/')) {
      if (bytes.readUInt16LE(at + 8) & 1) throw damaged(path, `${name} is encrypted`);
      const entry = readEntry(bytes, at, nameLength, extraLength);
      if (entry.offset >= limit) throw damaged(path, `${name} should start at byte ${entry.offset}`);
      entries.set(name, entry);
    }
    at = next;
  }
  return entries;
}

/** Builds each entry as one literal: with spread objects 110,000 of them take four times as long. */
function readEntry(bytes: Buffer, at: number, nameLength: number, extraLength: number): ZipEntry {
  let compressedSize = bytes.readUInt32LE(at + 20);
  let size = bytes.readUInt32LE(at + 24);
  let offset = bytes.readUInt32LE(at + 42);
  if (compressedSize === 0xffffffff || size === 0xffffffff || offset === 0xffffffff) {
    // Extra field 1 holds, in this order, those of the three that do not fit into 32 bits.
    let extra = at + entrySize + nameLength;
    const end = extra + extraLength;
    while (extra + 4 <= end && bytes.readUInt16LE(extra) !== 1) extra += 4 + bytes.readUInt16LE(extra + 2);
    let value = extra + 4;
    const long = (short: number): number => {
      if (short !== 0xffffffff || value + 8 > end) return short;
      value += 8;
      return Number(bytes.readBigUInt64LE(value - 8));
    };
    size = long(size);
    compressedSize = long(compressedSize);
    offset = long(offset);
  }
  return { offset, compressedSize, size, method: bytes.readUInt16LE(at + 10), crc: bytes.readUInt32LE(at + 16) };
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await file.read(bytes, done, length - done, position + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return bytes.subarray(0, done);
}

function damaged(path: string, why: string): Error {
  return new Error(`readZipDirectory: ${path} is damaged: ${why}. Fetch or copy it again.`);
}
