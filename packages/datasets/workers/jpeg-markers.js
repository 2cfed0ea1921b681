// @ts-check
import { ScanProgress } from './jpeg-progress.js';
import { pixelLimit } from './pixel-limit.js';

/** Scans of a progressive JPEG; more are no picture but an attempt to keep decoders busy. */
const mostScans = 200;

/** Bytes that are to be left out. @typedef {readonly [start: number, end: number]} Stretch */

/** The letters JFIF. */
const jfifName = 0x4a464946;

/**
 * What the markers of a JPEG say, and its bytes without faults that do no harm.
 *
 * libjpeg prints the first warning of an image alone, so one about a fault that does no harm hides those about damage. Such
 * faults are mended in a copy: another major version of JFIF, an unknown colour transform of Adobe, parameters of a
 * sequential scan that are not 0, 63, 0, and bytes between segments. Bytes that may be the rest of a segment on which colours
 * depend are damage.
 *
 * @param {Uint8Array} bytes
 * @returns {{ bytes: Uint8Array, width: number, height: number, components: number, doubtful: boolean }} doubtful: there were
 *   faults, and the data of the scans may be damaged too
 * @throws Error with the reason alone
 */
export function readJpegMarkers(bytes) {
  const view = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  /** What is to be written over the copy. @type {Array<readonly [position: number, value: number]>} */
  const patches = [];
  /** @type {Stretch[]} */
  const strays = [];
  let frame = { width: 0, height: 0, components: 0, sequential: false, at: 0 };
  let complete = false;
  /** @type {ScanProgress | undefined} */
  let progress;
  let adobe = 0;
  let jfif = false;
  let previous = 0;
  let scans = 0;
  let at = 2;
  if (view[at] !== 0xff) throw damaged('bytes lie before its first marker');
  for (let ended = false; !ended; ) {
    const marker = nextMarker(view, at);
    if (marker < 0) throw damaged('it is cut short, its end marker is missing');
    const code = view[marker];
    const stray = strayUpTo(view, at, marker);
    if (stray) {
      if (previous === 0xdb || isFrame(previous)) throw damaged('bytes lie where a table or its frame should end');
      strays.push(stray);
    }
    const body = marker + 1;
    at = body;
    if (code === 0xd9) ended = true;
    if (ended || (code === 0x01 && scans > 0) || (code >= 0xd0 && code <= 0xd7)) continue;
    if (!isKnown(code)) throw damaged(`0x${code.toString(16)} is no marker of a picture`);
    previous = code;
    const length = body + 2 <= view.length ? view.readUInt16BE(body) : 0;
    at = body + length;
    if (length < 2 || at > view.length) throw damaged('it is cut short or a length in it is wrong');
    if (code === 0xe0 && length >= 14 && view.readUInt32BE(body + 2) === jfifName && view[body + 6] === 0) {
      jfif = true;
      if (view[body + 7] !== 1) patches.push([body + 7, 1]);
    } else if (code === 0xee && length >= 14 && view.toString('latin1', body + 2, body + 7) === 'Adobe') {
      adobe = body + 13;
    } else if (isFrame(code) && length >= 8) {
      frame = {
        height: view.readUInt16BE(body + 3),
        width: view.readUInt16BE(body + 5),
        components: view[body + 7],
        sequential: code === 0xc0 || code === 0xc1,
        at: body + 8,
      };
      pixelLimit(frame.width, frame.height);
      if (code <= 0xc2) checkLength(view, body, length);
    } else if (code === 0xda) {
      scans++;
      if (scans > mostScans) throw new Error(`has more than ${mostScans} scans, which no picture needs`);
      const count = view[body + 2];
      if (frame.sequential && length >= 6) {
        if (view[at - 3] !== 0) patches.push([at - 3, 0]);
        if (view[at - 2] !== 63) patches.push([at - 2, 63]);
        if (view[at - 1] !== 0) patches.push([at - 1, 0]);
      }
      if (frame.sequential && count === frame.components) {
        complete = true;
        // Nothing behind this scan counts, and the decoder tells whether its data are whole.
        if (view[view.length - 2] === 0xff && view[view.length - 1] === 0xd9) break;
      } else {
        progress ??= new ScanProgress(every(3, view.subarray(frame.at, frame.at + 3 * frame.components)));
        const parts = every(2, view.subarray(body + 3, at - 3));
        if (frame.sequential) progress.add(parts, 0, 63, 0);
        else progress.add(parts, view[at - 3], view[at - 2], view[at - 1] & 15);
      }
      at = endOfScan(view, at);
    }
  }
  const { components } = frame;
  if (scans > 0 && !complete && !progress?.complete) throw damaged('scans of it are missing');
  const colourKnown = components === 1 || adobe > 0 || (components === 3 && jfif);
  if (strays.length > 0 && !colourKnown)
    throw damaged('bytes lie between its parts, and it does not say what its colours are');
  if (adobe && components === 3 && view[adobe] > 1) patches.push([adobe, 1]);
  const sound = mended(bytes, patches, strays);
  return { ...frame, bytes: sound, doubtful: sound !== bytes };
}

/**
 * Refuses files that cannot hold so many pixels, before memory and time are spent on them: each block takes a bit at least.
 *
 * @param {Buffer} view
 * @param {number} body where the frame's length is
 * @param {number} length
 */
function checkLength(view, body, length) {
  const height = view.readUInt16BE(body + 3);
  const width = view.readUInt16BE(body + 5);
  let h = 1;
  let v = 1;
  let count = 0;
  for (let at = body + 9; at + 2 < body + length; at += 3, count++) {
    h = Math.max(h, view[at] >> 4);
    v = Math.max(v, view[at] & 15);
  }
  const groups = Math.ceil(width / (8 * h)) * Math.ceil(height / (8 * v));
  if (8 * view.length < groups * count) {
    throw damaged(`its ${view.length} bytes are too few for ${width} x ${height} pixels`);
  }
}

/**
 * Position of the next marker's code; -1 where there is none.
 *
 * @param {Buffer} view
 * @param {number} at
 */
export function nextMarker(view, at) {
  for (let found = view[at] === 0xff ? at : view.indexOf(0xff, at); found >= 0; found = view.indexOf(0xff, found + 1)) {
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

/** Whether a decoder of pictures has to know a marker with a segment. @param {number} code */
export function isKnown(code) {
  return (
    (code >= 0xc0 && code <= 0xef && code !== 0xc8 && code !== 0xd8 && code !== 0xde && code !== 0xdf) || code === 0xfe
  );
}

/**
 * Every so many bytes the first one.
 *
 * @param {number} step
 * @param {Buffer} bytes
 */
function every(step, bytes) {
  return Array.from({ length: Math.floor(bytes.length / step) }, (_, i) => bytes[step * i]);
}

/** Whether a marker starts a frame. @param {number} code */
function isFrame(code) {
  return code >= 0xc0 && code <= 0xcf && code !== 0xc4 && code !== 0xc8 && code !== 0xcc;
}

/**
 * The bytes from a position to a marker if they are more than the 255s that may lie there.
 *
 * @param {Buffer} view
 * @param {number} at
 * @param {number} marker position of the marker's code
 * @returns {Stretch | undefined}
 */
function strayUpTo(view, at, marker) {
  for (let i = at; i < marker; i++) if (view[i] !== 0xff) return [at, marker - 1];
}

/** @param {string} why */
export function damaged(why) {
  return new Error(`is a damaged JPEG: ${why}`);
}

/**
 * A copy with bytes written over and bytes left out.
 *
 * @param {Uint8Array} bytes
 * @param {ReadonlyArray<readonly [position: number, value: number]>} patches
 * @param {readonly Stretch[]} strays in order
 */
export function mended(bytes, patches, strays) {
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
