// @ts-check
import { pixelLimit } from './pixel-limit.js';

/** Scans of a progressive JPEG; more are no picture but an attempt to keep decoders busy. */
const mostScans = 200;

/**
 * What the markers of a JPEG say, and its bytes without faults that do no harm.
 *
 * libjpeg prints the first warning of an image alone, so one about a fault that does no harm hides those about damage. Such
 * faults are mended in a copy: another major version of JFIF, an unknown colour transform of Adobe, parameters of a
 * sequential scan that are not 0, 63, 0, and bytes between segments.
 *
 * @param {Uint8Array} bytes
 * @returns {{ bytes: Uint8Array, width: number, height: number, components: number }}
 * @throws Error with the reason alone
 */
export function readJpegMarkers(bytes) {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  /** What is to be written over the copy. @type {Array<readonly [position: number, value: number]>} */
  const patches = [];
  /** Bytes that are to be left out. @type {Array<readonly [start: number, end: number]>} */
  const strays = [];
  let frame = { width: 0, height: 0, components: 0, sequential: false };
  let adobe = 0;
  let scans = 0;
  let at = 2;
  for (let ended = false; !ended; ) {
    const marker = nextMarker(view, at);
    if (marker < 0) throw new Error('is a damaged JPEG: it is cut short, its end marker is missing');
    if (scans === 0 && view.indexOf(0xff, at) > at) strays.push([at, view.indexOf(0xff, at)]);
    const code = view[marker];
    const body = marker + 1;
    at = body;
    if (code === 0xd9) ended = true;
    if (ended || code === 0x01 || (code >= 0xd0 && code <= 0xd8)) continue;
    const length = body + 2 <= view.length ? view.readUInt16BE(body) : 0;
    at = body + length;
    if (length < 2 || at > view.length)
      throw new Error('is a damaged JPEG: it is cut short or a length in it is wrong');
    if (code === 0xe0 && length >= 14 && view.toString('latin1', body + 2, body + 7) === 'JFIF\0') {
      if (view[body + 7] !== 1) patches.push([body + 7, 1]);
    } else if (code === 0xee && length >= 14 && view.toString('latin1', body + 2, body + 7) === 'Adobe') {
      adobe = body + 13;
    } else if (code >= 0xc0 && code <= 0xcf && code !== 0xc4 && code !== 0xc8 && code !== 0xcc && length >= 8) {
      frame = {
        height: view.readUInt16BE(body + 3),
        width: view.readUInt16BE(body + 5),
        components: view[body + 7],
        sequential: code === 0xc0 || code === 0xc1,
      };
      pixelLimit(frame.width, frame.height);
      if (code <= 0xc2) checkLength(view, body, length);
    } else if (code === 0xda) {
      scans++;
      if (scans > mostScans) throw new Error(`has more than ${mostScans} scans, which no picture needs`);
      if (frame.sequential && length >= 6) {
        [0, 63, 0].forEach((value, i) => {
          if (view[at - 3 + i] !== value) patches.push([at - 3 + i, value]);
        });
      }
      at = endOfScan(view, at);
    }
  }
  const { components } = frame;
  if (adobe && components === 3 && view[adobe] > 1) patches.push([adobe, 1]);
  return { ...frame, bytes: mended(bytes, patches, strays) };
}

/**
 * Refuses files that cannot hold so many pixels, before memory and time are spent on them: each block takes a bit at least.
 *
 * @param {Buffer} view
 * @param {number} body where the frame's length is
 * @param {number} length
 */
function checkLength(view, body, length) {
  const [height, width] = [view.readUInt16BE(body + 3), view.readUInt16BE(body + 5)];
  let [h, v, count] = [1, 1, 0];
  for (let at = body + 9; at + 2 < body + length; at += 3, count++) {
    h = Math.max(h, view[at] >> 4);
    v = Math.max(v, view[at] & 15);
  }
  const groups = Math.ceil(width / (8 * h)) * Math.ceil(height / (8 * v));
  if (8 * view.length < groups * count) {
    throw new Error(`is a damaged JPEG: its ${view.length} bytes are too few for ${width} x ${height} pixels`);
  }
}

/**
 * Position of the next marker's code; -1 where there is none.
 *
 * @param {Buffer} view
 * @param {number} at
 */
export function nextMarker(view, at) {
  for (let found = view.indexOf(0xff, at); found >= 0; found = view.indexOf(0xff, found + 1)) {
    while (view[found + 1] === 0xff) found++;
    if (found + 1 < view.length && view[found + 1] !== 0) return found + 1;
  }
  return -1;
}

/**
 * Where the data of a scan end: at a marker that is no restart.
 *
 * @param {Buffer} view
 * @param {number} at
 */
export function endOfScan(view, at) {
  for (let marker = nextMarker(view, at); marker >= 0; marker = nextMarker(view, marker)) {
    if (view[marker] < 0xd0 || view[marker] > 0xd7) return marker - 1;
  }
  return view.length;
}

/**
 * @param {Uint8Array} bytes
 * @param {ReadonlyArray<readonly [number, number]>} patches
 * @param {ReadonlyArray<readonly [number, number]>} strays
 */
function mended(bytes, patches, strays) {
  if (patches.length === 0 && strays.length === 0) return bytes;
  const copy = Buffer.from(bytes);
  for (const [position, value] of patches) copy[position] = value;
  const kept = [];
  let from = 0;
  for (const [start, end] of strays) {
    kept.push(copy.subarray(from, start));
    from = end;
  }
  return Buffer.concat([...kept, copy.subarray(from)]);
}
