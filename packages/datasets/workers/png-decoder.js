// @ts-check
import { crc32, inflateSync } from 'node:zlib';
import { pixelLimit } from './pixel-limit.js';
import { adam7, unfilter, writeRow } from './png-rows.js';

/** Samples a pixel by colour type; bit depths that the standard allows for it. */
const colourTypes = new Map([
  [0, { channels: 1, depths: [1, 2, 4, 8, 16] }],
  [2, { channels: 3, depths: [8, 16] }],
  [3, { channels: 1, depths: [1, 2, 4, 8] }],
  [4, { channels: 2, depths: [8, 16] }],
  [6, { channels: 4, depths: [8, 16] }],
]);

/**
 * Decodes PNG bytes to RGB as Pillow does: of 16 bits the upper eight count, but gray of 16 bits without alpha is cut off at 255.
 *
 * Every checksum up to the end of the pixels must be right; what comes after them is not looked at.
 *
 * @param {Uint8Array} bytes
 * @returns {{ width: number, height: number, data: Uint8Array<ArrayBuffer> }}
 * @throws Error with the reason alone
 */
export function decodePng(bytes) {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (file.toString('latin1', 0, 8) !== '\x89PNG\r\n\x1a\n') throw damaged('its signature is wrong');
  /** @type {Header | undefined} */
  let header;
  /** @type {Uint8Array | undefined} */
  let palette;
  const packed = [];
  for (const { type, data } of chunks(file)) {
    if (!header) header = readHeader(type, data);
    else if (type === 'IDAT') packed.push(data);
    else if (packed.length > 0 || type === 'IEND') break;
    else if (type === 'PLTE') palette = readPalette(data);
  }
  if (!header || packed.length === 0) throw damaged('it is cut short');
  if (header.colourType === 3 && !palette) throw damaged('it has no palette');
  return pixels(header, palette, packed);
}

/**
 * @typedef {object} Header
 * @property {number} width
 * @property {number} height
 * @property {number} depth bits a sample
 * @property {number} colourType
 * @property {number} bits a pixel
 * @property {boolean} interlaced
 */

/**
 * The chunks of a file up to where it is cut.
 *
 * @param {Buffer} file
 */
function* chunks(file) {
  for (let at = 8; at + 12 <= file.length; ) {
    const length = file.readUInt32BE(at);
    const type = file.toString('latin1', at + 4, at + 8);
    const end = at + 8 + length;
    if (end + 4 > file.length) return;
    if (crc32(file.subarray(at + 4, end)) !== file.readUInt32BE(end)) {
      throw damaged(`the checksum of its ${/^[A-Za-z]{4}$/.test(type) ? type : 'next'} chunk is wrong`);
    }
    yield { type, data: file.subarray(at + 8, end) };
    at = end + 4;
  }
}

/**
 * @param {string} type
 * @param {Buffer} data
 * @returns {Header}
 */
function readHeader(type, data) {
  if (type !== 'IHDR' || data.length < 13) throw damaged('it does not start with a header');
  const [width, height, depth, colourType] = [data.readUInt32BE(0), data.readUInt32BE(4), data[8], data[9]];
  const colour = colourTypes.get(colourType);
  if (width === 0 || height === 0 || !colour?.depths.includes(depth) || data[10] || data[11] || data[12] > 1) {
    throw damaged('its header makes no sense');
  }
  pixelLimit(width, height);
  return { width, height, depth, colourType, bits: colour.channels * depth, interlaced: data[12] === 1 };
}

/**
 * Colours of 256 indices; those that the palette has not are black.
 *
 * @param {Buffer} data
 */
function readPalette(data) {
  if (data.length % 3 !== 0 || data.length > 768) throw damaged('its palette makes no sense');
  const palette = new Uint8Array(768);
  palette.set(data);
  return palette;
}

/**
 * @param {Header} header
 * @param {Uint8Array | undefined} palette
 * @param {Buffer[]} packed
 */
function pixels({ width, height, depth, colourType, bits, interlaced }, palette, packed) {
  const passes = (interlaced ? adam7 : [{ x: 0, y: 0, dx: 1, dy: 1 }]).map(({ x, y, dx, dy }) => {
    const columns = Math.ceil((width - x) / dx);
    return {
      x,
      y,
      dx,
      dy,
      columns,
      rows: columns > 0 ? Math.ceil((height - y) / dy) : 0,
      bytes: Math.ceil((columns * bits) / 8),
    };
  });
  const expected = passes.reduce((sum, { rows, bytes }) => sum + Math.max(0, rows) * (bytes + 1), 0);
  const rows = inflate(packed.length === 1 ? packed[0] : Buffer.concat(packed), expected);
  const rgb = new Uint8Array(width * height * 3);
  let at = 0;
  for (const pass of passes) {
    for (let row = 0; row < pass.rows; row++, at += pass.bytes + 1) {
      if (!unfilter(rows, at, pass.bytes, Math.max(1, bits >> 3), row === 0)) throw damaged('a filter makes no sense');
      const to = ((pass.y + row * pass.dy) * width + pass.x) * 3;
      writeRow(rows, at + 1, pass.columns, colourType, depth, palette, rgb, to, pass.dx * 3);
    }
  }
  return { width, height, data: rgb };
}

/**
 * @param {Buffer} packed
 * @param {number} expected
 */
function inflate(packed, expected) {
  let data;
  try {
    data = inflateSync(packed, { maxOutputLength: expected });
  } catch (error) {
    const { code, message } = /** @type {NodeJS.ErrnoException} */ (error);
    if (code === 'Z_BUF_ERROR') throw damaged('its pixels are cut short');
    throw damaged(code === 'ERR_BUFFER_TOO_LARGE' ? 'it has more pixels than its header says' : message);
  }
  if (data.length < expected) throw damaged('it has fewer pixels than its header says');
  return data;
}

/** @param {string} why */
function damaged(why) {
  return new Error(`is a damaged PNG: ${why}`);
}
