// @ts-check
import { damaged, endOfScan, isKnown, nextMarker } from './jpeg-markers.js';

// The entropy coding of JPEG, sequential and progressive: https://www.w3.org/Graphics/JPEG/itu-t81.pdf, annexes F and G.
// libjpeg as it is built here cannot give the four channels of CMYK, so such files are decoded by this and jpeg-planes.js.
// It is strict, since a reader that has lost its place in damaged data often finds something to the end: each scan must end
// with the bits that encoders fill up with, no run may pass the end of its block, and no restart marker may be missing.

/** Where the coefficients of a block lie, in the order of the file. */
const zigzag = Uint8Array.from([
  0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
  35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47,
  55, 62, 63,
]);

/**
 * @typedef {object} Component
 * @property {number} id
 * @property {number} h sampling factors
 * @property {number} v
 * @property {Uint16Array} quantizers in the order of a block's rows
 * @property {number} width samples
 * @property {number} height
 * @property {number} columns blocks that are kept, padding included
 * @property {Int16Array} coefficients of block after block
 */

/** @typedef {import('./jpeg-markers.js').Stretch} Stretch */

/** @typedef {{ limits: Int32Array, offsets: Int32Array, values: Uint8Array }} HuffmanTable */

/**
 * Reads the frame of a JPEG and all its scans.
 *
 * @param {Buffer} bytes whole, as `readJpegMarkers` gives it
 * @returns {{ width: number, height: number, components: Component[], adobe: number | null, strays: Stretch[] }} strays: bytes
 *   that lie behind the data of a scan
 * @throws Error with the reason alone
 */
export function readScans(bytes) {
  /** @type {Uint16Array[]} */
  const quantizers = [];
  /** Of DC at 0 to 3, of AC at 16 to 19. @type {HuffmanTable[]} */
  const huffman = [];
  /** @type {ReturnType<typeof readFrame> | undefined} */
  let frame;
  let adobe = null;
  /** @type {Stretch[]} */
  const strays = [];
  let restart = 0;
  for (let at = 2; ; ) {
    const marker = nextMarker(bytes, at);
    const code = bytes[marker];
    if (marker < 0 || code === 0xd9) break;
    at = marker + 1;
    if (code === 0x01 || (code >= 0xd0 && code <= 0xd8)) continue;
    if (!isKnown(code)) throw damaged(`0x${code.toString(16)} is no marker of a picture`);
    const body = bytes.subarray(at + 2, at + bytes.readUInt16BE(at));
    at += 2 + body.length;
    if (code === 0xdb) readQuantizers(body, quantizers);
    else if (code === 0xc4) readHuffman(body, huffman);
    else if (code === 0xdd) restart = body.readUInt16BE(0);
    else if (code === 0xee && body.toString('latin1', 0, 5) === 'Adobe') adobe = body[11];
    else if (code >= 0xc0 && code <= 0xc2) {
      if (frame) throw damaged('it has two frames');
      frame = readFrame(body, code === 0xc2);
    } else if (code > 0xc2 && code < 0xd0 && code !== 0xc8 && code !== 0xcc) throw damaged('its coding is not read');
    else if (code === 0xda) {
      if (!frame) throw damaged('it has no frame');
      const end = readScan(bytes, at, body, frame, huffman, quantizers, restart);
      at = endOfScan(bytes, end);
      if (at > end) strays.push([end, at]);
    }
  }
  if (!frame || frame.components.some(({ quantizers: table }) => table.length === 0))
    throw damaged('it has no picture');
  return { width: frame.width, height: frame.height, components: frame.components, adobe, strays };
}

/**
 * @param {Buffer} body
 * @param {Uint16Array[]} tables
 */
function readQuantizers(body, tables) {
  for (let at = 0; at < body.length; ) {
    const [wide, id] = [body[at] >> 4, body[at] & 15];
    if (at + 1 + 64 * (wide ? 2 : 1) > body.length || id > 3) throw damaged('a table of it makes no sense');
    const table = new Uint16Array(64);
    at++;
    for (let i = 0; i < 64; i++, at += wide ? 2 : 1) table[zigzag[i]] = wide ? body.readUInt16BE(at) : body[at];
    tables[id] = table;
  }
}

/**
 * @param {Buffer} body
 * @param {HuffmanTable[]} tables
 */
function readHuffman(body, tables) {
  let at = 0;
  while (at + 17 <= body.length) {
    const id = body[at++];
    const limits = new Int32Array(17).fill(-1);
    const offsets = new Int32Array(17);
    let [code, total] = [0, 0];
    for (let length = 1; length <= 16; length++, code <<= 1) {
      const count = body[at + length - 1];
      offsets[length] = total - code;
      if (count > 0) limits[length] = code + count - 1;
      code += count;
      total += count;
      if (code >= 1 << length) throw damaged('a table of it makes no sense');
    }
    const values = body.subarray(at + 16, at + 16 + total);
    if (values.length < total || total > 256 || (id & 0xec) !== 0 || (id < 16 && values.some((size) => size > 15)))
      throw damaged('a table of it makes no sense');
    tables[id] = { limits, offsets, values };
    at += 16 + total;
  }
  if (at < body.length) throw damaged('a table of it makes no sense');
}

/**
 * @param {Buffer} body
 * @param {boolean} progressive
 */
function readFrame(body, progressive) {
  if (body[0] !== 8) throw damaged(`its samples have ${body[0]} bits, not 8`);
  const [height, width, count] = [body.readUInt16BE(1), body.readUInt16BE(3), body[5]];
  if (width === 0 || height === 0 || body.length !== 6 + 3 * count) throw damaged('its frame makes no sense');
  const parts = Array.from({ length: count }, (_, i) => {
    const [id, sampling, table] = body.subarray(6 + 3 * i, 9 + 3 * i);
    return { id, h: sampling >> 4, v: sampling & 15, table };
  });
  if (parts.some(({ h, v }) => h < 1 || h > 4 || v < 1 || v > 4)) throw damaged('its frame makes no sense');
  const [maxH, maxV] = [Math.max(...parts.map(({ h }) => h)), Math.max(...parts.map(({ v }) => v))];
  const [mcuColumns, mcuRows] = [Math.ceil(width / (8 * maxH)), Math.ceil(height / (8 * maxV))];
  const components = parts.map(({ id, h, v, table }) => ({
    id,
    h,
    v,
    table,
    quantizers: /** @type {Uint16Array} */ (new Uint16Array(0)),
    width: Math.ceil((width * h) / maxH),
    height: Math.ceil((height * v) / maxV),
    columns: mcuColumns * h,
    coefficients: new Int16Array(mcuColumns * h * mcuRows * v * 64),
  }));
  return { width, height, progressive, mcuColumns, mcuRows, components };
}

/**
 * Reads one scan; returns where its data end.
 *
 * @param {Buffer} bytes
 * @param {number} start
 * @param {Buffer} header
 * @param {ReturnType<typeof readFrame>} frame
 * @param {HuffmanTable[]} huffman
 * @param {Uint16Array[]} quantizers
 * @param {number} restart
 */
function readScan(bytes, start, header, frame, huffman, quantizers, restart) {
  const count = header[0];
  const chosen = Array.from({ length: count }, (_, i) => {
    const component = frame.components.find(({ id }) => id === header[1 + 2 * i]);
    if (!component) throw damaged('a scan of it names no component');
    // A table may be replaced later, so each component keeps that of its first scan.
    if (component.quantizers.length === 0) component.quantizers = quantizers[component.table] ?? component.quantizers;
    const tables = header[2 + 2 * i];
    return { component, dc: huffman[tables >> 4], ac: huffman[16 + (tables & 15)], predicted: 0 };
  });
  const [first, last, approximation] = header.subarray(1 + 2 * count, 4 + 2 * count);
  const [high, low] = [approximation >> 4, approximation & 15];
  const refines = high > 0;
  const blocksTogether = chosen.reduce((sum, { component: { h, v } }) => sum + h * v, 0);
  const makesSense =
    count > 0 &&
    header.length === 4 + 2 * count &&
    new Set(chosen.map(({ component }) => component)).size === count &&
    (count === 1 || blocksTogether <= 10) &&
    last < 64 &&
    first <= last &&
    (!frame.progressive || ((first > 0 ? count === 1 : last === 0) && low < 14 && (!refines || low === high - 1)));
  if (!makesSense) throw damaged('a scan of it makes no sense');
  const bits = new BitReader(bytes, start);
  const blocks = new BlockReader(bits, frame.progressive ? first : 0, frame.progressive ? last : 63, high, low);
  const read = frame.progressive ? blocks.progressive : blocks.sequential;
  const alone = count === 1 ? chosen[0].component : null;
  const columns = alone ? Math.ceil(alone.width / 8) : frame.mcuColumns;
  const rows = alone ? Math.ceil(alone.height / 8) : frame.mcuRows;
  for (let mcu = 0; mcu < columns * rows; mcu++) {
    if (restart > 0 && mcu > 0 && mcu % restart === 0) {
      if (blocks.runOfEnds > 0) throw damaged('a run of it passes a restart marker');
      bits.restart((mcu / restart - 1) % 8);
      for (const part of chosen) part.predicted = 0;
    }
    const [x, y] = [mcu % columns, Math.floor(mcu / columns)];
    for (const part of chosen) {
      const { component } = part;
      const [h, v] = alone ? [1, 1] : [component.h, component.v];
      for (let i = 0; i < h * v; i++) {
        const block = (y * v + Math.floor(i / h)) * component.columns + x * h + (i % h);
        read.call(blocks, component.coefficients.subarray(64 * block, 64 * block + 64), part);
      }
    }
  }
  if (blocks.runOfEnds > 0) throw damaged('a scan of it has more blocks than its picture');
  bits.end();
  return bits.at;
}

/** Bits of a scan, without the zeros that are stuffed after 255. */
class BitReader {
  /**
   * @param {Buffer} bytes
   * @param {number} at
   */
  constructor(bytes, at) {
    this.bytes = bytes;
    this.at = at;
    this.byte = 0;
    this.left = 0;
  }

  bit() {
    if (this.left === 0) {
      this.byte = this.bytes[this.at];
      if (this.byte === undefined || (this.byte === 0xff && this.bytes[this.at + 1] !== 0)) {
        throw damaged('the data of a scan end too early');
      }
      this.at += this.byte === 0xff ? 2 : 1;
      this.left = 8;
    }
    this.left--;
    return (this.byte >> this.left) & 1;
  }

  /** @param {number} count */
  unsigned(count) {
    let value = 0;
    for (let i = 0; i < count; i++) value = (value << 1) | this.bit();
    return value;
  }

  /** A number of so many bits whose upper half is positive. @param {number} count */
  signed(count) {
    const value = this.unsigned(count);
    return count > 0 && value < 1 << (count - 1) ? value - (1 << count) + 1 : value;
  }

  /** @param {HuffmanTable | undefined} table */
  symbol(table) {
    if (!table) throw damaged('a scan of it has no table');
    for (let code = this.bit(), length = 1; length <= 16; length++, code = (code << 1) | this.bit()) {
      if (code <= table.limits[length]) return table.values[table.offsets[length] + code];
    }
    throw damaged('a code of it is in no table');
  }

  /**
   * Passes over the bits that fill up the last byte: ones, as the standard says, or zeros, as some cameras write. Where
   * other bytes follow instead of a marker, the end is taken for one by the standard's ones alone.
   */
  end() {
    const fill = (1 << this.left) - 1;
    const rest = this.byte & fill;
    const zeros = rest === 0 && this.bytes[this.at] === 0xff;
    if (rest !== fill && !zeros) throw damaged('the data of a scan do not end where its picture does');
    this.left = 0;
  }

  /** Passes over the restart marker of a number, which must come now. @param {number} number */
  restart(number) {
    this.end();
    if (this.bytes[this.at] !== 0xff || this.bytes[this.at + 1] !== 0xd0 + number) {
      throw damaged('a restart marker of it is not where it should be');
    }
    this.at += 2;
  }
}

/** @typedef {{ dc: HuffmanTable | undefined, ac: HuffmanTable | undefined, predicted: number }} Part */

/** Reads the blocks of one scan into their coefficients. */
class BlockReader {
  /**
   * @param {BitReader} bits
   * @param {number} first coefficient, and last one
   * @param {number} last
   * @param {number} high approximation before this scan, and after it
   * @param {number} low
   */
  constructor(bits, first, last, high, low) {
    this.bits = bits;
    this.first = first;
    this.last = last;
    this.high = high;
    this.low = low;
    this.runOfEnds = 0;
  }

  /**
   * @param {Int16Array} block
   * @param {Part} part
   */
  sequential(block, part) {
    part.predicted += this.bits.signed(this.bits.symbol(part.dc) & 15);
    block[0] = part.predicted;
    for (let k = 1; k < 64; k++) {
      const symbol = this.bits.symbol(part.ac);
      const [run, size] = [symbol >> 4, symbol & 15];
      if (size === 0 && run < 15) return;
      k += run;
      if (k > 63) throw damaged('a run of it passes the end of its block');
      if (size > 0) block[zigzag[k]] = this.bits.signed(size);
    }
  }

  /**
   * @param {Int16Array} block
   * @param {Part} part
   */
  progressive(block, part) {
    if (this.first > 0) {
      if (this.high === 0) this.firstAc(block, part);
      else this.refineAc(block, part);
    } else if (this.high > 0) {
      block[0] |= this.bits.bit() << this.low;
    } else {
      part.predicted += this.bits.signed(this.bits.symbol(part.dc) & 15);
      block[0] = part.predicted << this.low;
    }
  }

  /**
   * @param {Int16Array} block
   * @param {Part} part
   */
  firstAc(block, part) {
    if (this.runOfEnds > 0) {
      this.runOfEnds--;
      return;
    }
    for (let k = this.first; k <= this.last; k++) {
      const symbol = this.bits.symbol(part.ac);
      const [run, size] = [symbol >> 4, symbol & 15];
      if (size === 0 && run < 15) {
        this.runOfEnds = (1 << run) - 1 + this.bits.unsigned(run);
        return;
      }
      k += run;
      if (k > this.last) throw damaged('a run of it passes the end of its block');
      if (size > 0) block[zigzag[k]] = this.bits.signed(size) << this.low;
    }
  }

  /**
   * @param {Int16Array} block
   * @param {Part} part
   */
  refineAc(block, part) {
    const step = 1 << this.low;
    let k = this.first;
    if (this.runOfEnds === 0) {
      for (; k <= this.last; k++) {
        const symbol = this.bits.symbol(part.ac);
        let run = symbol >> 4;
        let value = 0;
        if ((symbol & 15) > 1) throw damaged('a code of it makes no sense');
        if ((symbol & 15) > 0) value = this.bits.bit() ? step : -step;
        else if (run < 15) {
          this.runOfEnds = (1 << run) + this.bits.unsigned(run);
          break;
        }
        // Of the coefficients that are zero so far `run` stay so; the others get one more bit on the way.
        for (; k <= this.last; k++) {
          const at = zigzag[k];
          if (block[at] !== 0) this.refine(block, at, step);
          else if (run-- === 0) {
            block[at] = value;
            break;
          }
        }
        if (k > this.last) throw damaged('a run of it passes the end of its block');
      }
    }
    if (this.runOfEnds > 0) {
      for (; k <= this.last; k++) if (block[zigzag[k]] !== 0) this.refine(block, zigzag[k], step);
      this.runOfEnds--;
    }
  }

  /**
   * @param {Int16Array} block
   * @param {number} at
   * @param {number} step
   */
  refine(block, at, step) {
    if (this.bits.bit() && (Math.abs(block[at]) & step) === 0) block[at] += block[at] > 0 ? step : -step;
  }
}
