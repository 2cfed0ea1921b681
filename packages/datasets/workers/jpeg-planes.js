// @ts-check
// From coefficients to samples, in the integer arithmetic of libjpeg (jidctint.c, jdsample.c), so that the bytes are equal.

import { damaged } from './jpeg-markers.js';

/** @typedef {import('./jpeg-scans.js').Component} Component */

// What is further out comes from no encoder, and each decoder makes something else of it.

/** Of a sample before it is cut to 0 to 255, from 128. */
const sampleReach = 512;

/** Of a coefficient: 128 times 8, half of that for encoders that overshoot, and rounding. @param {number} quantizer */
const reach = (quantizer) => 1536 + 2 * quantizer;

/**
 * The samples of a component at the size of the picture.
 *
 * @param {Component} component
 * @param {number} width
 * @param {number} height
 * @param {number} h how often the component's columns go into the picture's, and its rows
 * @param {number} v
 * @returns {Uint8Array} shape [height, width]
 */
export function planeOf(component, width, height, h, v) {
  let plane = samplesOf(component);
  let [columns, rows] = [component.width, component.height];
  const fancy = columns > 2 || h === 1;
  if (h === 2 && v === 2 && fancy) {
    plane = widened(plane, columns, rows);
  } else if (h === 2 && v === 1 && fancy) {
    plane = columnsDoubled(plane, columns, rows);
  } else if (h === 1 && v === 2) {
    plane = rowsDoubled(plane, columns, rows);
  } else if (h > 1 || v > 1) {
    plane = repeated(plane, columns, rows, h, v);
  }
  [columns, rows] = [columns * h, rows * v];
  if (columns === width && rows === height) return plane;
  const cut = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) cut.set(plane.subarray(y * columns, y * columns + width), y * width);
  return cut;
}

/**
 * The samples of a component, without what fills up its last blocks.
 *
 * @param {Component} component
 * @throws Error with the reason alone, where they are out of reach
 */
export function samplesOf({ coefficients, quantizers, width, height, columns }) {
  const plane = new Uint8Array(width * height);
  const samples = new Uint8Array(64);
  const work = new Int32Array(64);
  for (let top = 0; top < height; top += 8) {
    for (let left = 0; left < width; left += 8) {
      const block = 64 * ((top >> 3) * columns + (left >> 3));
      inverseTransform(coefficients.subarray(block, block + 64), quantizers, work, samples);
      const kept = Math.min(8, width - left);
      for (let y = 0; y < 8 && top + y < height; y++) {
        plane.set(samples.subarray(8 * y, 8 * y + kept), (top + y) * width + left);
      }
    }
  }
  return plane;
}

/**
 * @param {Int16Array} block
 * @param {Uint16Array} quantizers
 * @param {Int32Array} work
 * @param {Uint8Array} samples
 */
function inverseTransform(block, quantizers, work, samples) {
  for (let i = 0; i < 64; i++) {
    work[i] = block[i] * quantizers[i];
    if (Math.abs(work[i]) > reach(quantizers[i])) throw outOfReach();
  }
  for (let column = 0; column < 8; column++) transformLine(work, column, 8, 11);
  for (let row = 0; row < 8; row++) transformLine(work, 8 * row, 1, 18);
  for (let i = 0; i < 64; i++) {
    const sample = work[i];
    if (sample < -sampleReach || sample >= sampleReach) throw outOfReach();
    samples[i] = Math.max(0, Math.min(255, sample + 128));
  }
}

function outOfReach() {
  return damaged('its samples are far from what a picture has');
}

/**
 * One line of eight in place; constants are of 13 bits, the sums are rounded and lose `shift` bits.
 *
 * @param {Int32Array} line
 * @param {number} at
 * @param {number} step
 * @param {number} shift
 */
function transformLine(line, at, step, shift) {
  const [x0, x1, x2, x3] = [line[at], line[at + step], line[at + 2 * step], line[at + 3 * step]];
  const [x4, x5, x6, x7] = [line[at + 4 * step], line[at + 5 * step], line[at + 6 * step], line[at + 7 * step]];
  const even = (x2 + x6) * 4433;
  const [even2, even3] = [even - x6 * 15137, even + x2 * 6270];
  const [even0, even1] = [(x0 + x4) * 8192, (x0 - x4) * 8192];
  const odd = (x7 + x3 + x5 + x1) * 9633;
  const [z1, z2] = [(x7 + x1) * -7373, (x5 + x3) * -20995];
  const [z3, z4] = [(x7 + x3) * -16069 + odd, (x5 + x1) * -3196 + odd];
  const [odd0, odd1] = [x7 * 2446 + z1 + z3, x5 * 16819 + z2 + z4];
  const [odd2, odd3] = [x3 * 25172 + z2 + z3, x1 * 12299 + z1 + z4];
  const half = 1 << (shift - 1);
  line[at] = (even0 + even3 + odd3 + half) >> shift;
  line[at + 7 * step] = (even0 + even3 - odd3 + half) >> shift;
  line[at + step] = (even1 + even2 + odd2 + half) >> shift;
  line[at + 6 * step] = (even1 + even2 - odd2 + half) >> shift;
  line[at + 2 * step] = (even1 - even2 + odd1 + half) >> shift;
  line[at + 5 * step] = (even1 - even2 - odd1 + half) >> shift;
  line[at + 3 * step] = (even0 - even3 + odd0 + half) >> shift;
  line[at + 4 * step] = (even0 - even3 - odd0 + half) >> shift;
}

/**
 * Twice as many columns, each weighed 3 to 1 with its neighbour.
 *
 * @param {Uint8Array} plane
 * @param {number} columns
 * @param {number} rows
 */
function columnsDoubled(plane, columns, rows) {
  const wide = new Uint8Array(2 * plane.length);
  for (let at = 0, x = 0; at < columns * rows; at++, x = x + 1 === columns ? 0 : x + 1) {
    const value = plane[at];
    wide[2 * at] = x === 0 ? value : (3 * value + plane[at - 1] + 1) >> 2;
    wide[2 * at + 1] = x === columns - 1 ? value : (3 * value + plane[at + 1] + 2) >> 2;
  }
  return wide;
}

/**
 * @param {Uint8Array} plane
 * @param {number} columns
 * @param {number} rows
 */
function rowsDoubled(plane, columns, rows) {
  const tall = new Uint8Array(2 * plane.length);
  for (let y = 0; y < 2 * rows; y++) {
    const near = (y >> 1) * columns;
    const far = neighbour(y, rows) * columns;
    for (let x = 0; x < columns; x++) tall[y * columns + x] = (3 * plane[near + x] + plane[far + x] + 1 + (y & 1)) >> 2;
  }
  return tall;
}

/**
 * Twice as many rows and columns: each pixel is weighed 9, 3, 3 and 1 with its neighbours.
 *
 * @param {Uint8Array} plane
 * @param {number} columns
 * @param {number} rows
 */
function widened(plane, columns, rows) {
  const result = new Uint8Array(4 * plane.length);
  const sums = new Int32Array(columns);
  for (let y = 0; y < 2 * rows; y++) {
    const near = (y >> 1) * columns;
    const far = neighbour(y, rows) * columns;
    for (let x = 0; x < columns; x++) sums[x] = 3 * plane[near + x] + plane[far + x];
    const to = y * 2 * columns;
    for (let x = 0; x < columns; x++) {
      const sum = sums[x];
      result[to + 2 * x] = x === 0 ? (4 * sum + 8) >> 4 : (3 * sum + sums[x - 1] + 8) >> 4;
      result[to + 2 * x + 1] = x === columns - 1 ? (4 * sum + 7) >> 4 : (3 * sum + sums[x + 1] + 7) >> 4;
    }
  }
  return result;
}

/** The row next to that of which `y` is a half: the one above an upper half, the one below a lower. @param {number} y @param {number} rows */
function neighbour(y, rows) {
  return Math.max(0, Math.min(rows - 1, (y >> 1) + (y & 1 ? 1 : -1)));
}

/**
 * @param {Uint8Array} plane
 * @param {number} columns
 * @param {number} rows
 * @param {number} h
 * @param {number} v
 */
function repeated(plane, columns, rows, h, v) {
  const result = new Uint8Array(columns * h * rows * v);
  for (let y = 0, to = 0; y < rows * v; y++) {
    const from = Math.floor(y / v) * columns;
    for (let x = 0; x < columns * h; x++) result[to++] = plane[from + Math.floor(x / h)];
  }
  return result;
}
