// @ts-check
import { damaged, mended } from './jpeg-markers.js';
import { samplesOf } from './jpeg-planes.js';
import { readScans } from './jpeg-scans.js';

/**
 * The bytes of a JPEG without those that lie behind the data of its scans.
 *
 * Such bytes are harmless leftovers of a program, or data at which a reader came off the track and found an early end. The
 * coefficients tell: all of them are read again, strictly.
 *
 * @param {Uint8Array} bytes as `readJpegMarkers` gives them
 * @throws Error with the reason alone, if the data are damaged
 */
export function soundJpeg(bytes) {
  const { components, strays } = checkedScans(bytes);
  for (const component of components) samplesOf(component);
  return mended(bytes, [], strays);
}

/**
 * As `readScans`; a segment that is shorter than what it should hold ends in an error of Node's, which this puts in words.
 *
 * @param {Uint8Array} bytes
 */
export function checkedScans(bytes) {
  try {
    const jpeg = readScans(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
    const left = jpeg.strays.reduce((sum, [start, end]) => sum + end - start, 0);
    if (2 * left > bytes.length) throw damaged('most of its data belong to no pixel');
    return jpeg;
  } catch (error) {
    if (!(error instanceof RangeError) || !('code' in error)) throw error;
    throw new Error('is a damaged JPEG: a part of it is shorter than it should be', { cause: error });
  }
}
