// @ts-check
import { closeSync, openSync, readFileSync } from 'node:fs';
import { crc32, inflateRawSync } from 'node:zlib';
import { fillSync } from './read-at.js';

const localHeaderSize = 30;

/**
 * Zips that this thread reads from in this turn of its event loop: one that is replaced is not read through the old one for long, and none stays open.
 *
 * @type {Map<string, number>}
 */
const openZips = new Map();

/** @type {typeof import('./file-reader.js').readReference} */
export function readReference({ path, entry }) {
  const bytes = entry ? readZipEntry(path, entry) : readFileSync(path);
  if (bytes.length === 0) throw new Error('is empty (0 bytes)');
  return bytes;
}

function closeZips() {
  for (const descriptor of openZips.values()) closeSync(descriptor);
  openZips.clear();
}

/**
 * @param {string} path
 * @param {import('./file-reader.js').ZipEntry} entry
 * @returns {Uint8Array}
 */
function readZipEntry(path, { offset, compressedSize, size, method, crc }) {
  let descriptor = openZips.get(path);
  if (descriptor === undefined) {
    descriptor = openSync(path, 'r');
    if (openZips.size === 0) setImmediate(closeZips);
    openZips.set(path, descriptor);
  }
  // The local header repeats the name and may carry other extra fields than the directory, so its length is its own.
  const header = readAt(descriptor, offset, localHeaderSize);
  if (header.readUInt32LE(0) !== 0x04034b50) throw new Error('is not where the zip directory says: the zip is damaged');
  const start = offset + localHeaderSize + header.readUInt16LE(26) + header.readUInt16LE(28);
  const packed = readAt(descriptor, start, compressedSize);
  if (method !== 0 && method !== 8)
    throw new Error(`is packed by zip method ${method}; only 0 (stored) and 8 (deflated) are read`);
  const bytes = method === 0 ? packed : inflate(packed, size);
  if (bytes.length !== size || crc32(bytes) !== crc)
    throw new Error('is damaged: its checksum differs from the zip directory');
  return bytes;
}

/**
 * @param {Buffer} packed
 * @param {number} size
 */
function inflate(packed, size) {
  if (size === 0) return Buffer.alloc(0);
  try {
    return inflateRawSync(packed, { maxOutputLength: size });
  } catch {
    throw new Error('is damaged: it cannot be inflated');
  }
}

/**
 * @param {number} descriptor
 * @param {number} position
 * @param {number} length
 */
function readAt(descriptor, position, length) {
  const bytes = Buffer.allocUnsafe(length);
  if (!fillSync(descriptor, bytes, position)) throw new Error('lies beyond the end of the zip: the zip is cut short');
  return bytes;
}
