// @ts-check
// Plain JavaScript, because Node 20 cannot run TypeScript in a worker: this folder lies as deep as src and dist, so both
// reach it by the same relative path, and it is published as it is.
import { parentPort } from 'node:worker_threads';
import { crc32 } from 'node:zlib';
import { readReference } from './file-reader.js';
import { decodeImage } from './image-decoder.js';
import { fitSquare } from './resize.js';

/** @typedef {import('./decode-worker.js').DecodeTask} DecodeTask */
/** @typedef {import('./decode-worker.js').DecodeResult} DecodeResult */

/**
 * @param {DecodeTask} task
 * @returns {Promise<DecodeResult>}
 */
async function decodeAll({ sources, fit }) {
  const imageBytes = fit ? fit.size * fit.size * 3 : 0;
  const pixels = new Uint8Array(sources.length * imageBytes);
  const images = [];
  const failures = [];
  for (const [position, source] of sources.entries()) {
    try {
      const image = await decodeImage('bytes' in source ? source.bytes : readReference(source));
      if (fit) pixels.set(fitted(image, fit), position * imageBytes);
      else images.push(image);
    } catch (error) {
      const reason =
        error instanceof RangeError ? 'is too large for the memory there is' : /** @type {Error} */ (error).message;
      failures.push({ position, reason, unreadable: error instanceof Error && 'syscall' in error });
    }
  }
  return { pixels, checksum: crc32(pixels), images, failures };
}

/**
 * @param {import('./decode-worker.js').DecodedImage} image
 * @param {import('./decode-worker.js').Fit} fit
 */
function fitted({ width, height, data }, { mode, size }) {
  if (width === size && height === size) return data;
  if (mode === 'exact') throw new Error(`has ${width}x${height} pixels, expected ${size}x${size}`);
  return fitSquare(data, width, height, size, mode);
}

parentPort?.on('message', async (/** @type {DecodeTask} */ task) => {
  const result = await decodeAll(task);
  parentPort?.postMessage(result, [result.pixels.buffer, ...result.images.map(({ data }) => data.buffer)]);
});
