// @ts-check
// Pillow's bilinear resize (antialiased when it shrinks) in its own integer arithmetic, so that the bytes are equal:
// each pass weighs pixels by a triangle as wide as the shrinking factor, in fixed point with 22 bits, and rounds to 8 bits.
// https://github.com/python-pillow/Pillow/blob/main/src/libImaging/Resample.c

const precision = 22;

/**
 * A part of an axis: which of its output pixels are wanted.
 *
 * @typedef {object} Window
 * @property {number} from pixels of the source
 * @property {number} to pixels that these become
 * @property {number} first first of them that is wanted
 * @property {number} count how many are
 */

/**
 * Fixed-point weights of one axis: output `first + x` sums `counts[x]` pixels from `starts[x]` on.
 *
 * @param {Window} window
 */
function triangleWeights({ from, to, first, count: wanted }) {
  const scale = from / to;
  const support = Math.max(scale, 1);
  const taps = Math.ceil(support) * 2 + 1;
  const starts = new Int32Array(wanted);
  const counts = new Int32Array(wanted);
  const weights = new Int32Array(wanted * taps);
  const row = new Float64Array(taps);
  for (let x = 0; x < wanted; x++) {
    const center = (first + x + 0.5) * scale;
    const start = Math.max(Math.trunc(center - support + 0.5), 0);
    const count = Math.min(Math.trunc(center + support + 0.5), from) - start;
    let sum = 0;
    for (let i = 0; i < count; i++) {
      row[i] = Math.max(0, 1 - Math.abs((i + start - center + 0.5) / support));
      sum += row[i];
    }
    for (let i = 0; i < count; i++) weights[x * taps + i] = Math.trunc(0.5 + (row[i] / sum) * (1 << precision));
    starts[x] = start;
    counts[x] = count;
  }
  return { starts, counts, weights, taps };
}

/**
 * Resizes RGB bytes [height, width, 3] and cuts out a part: first along rows, then along columns, as Pillow does. Only what
 * the part needs is computed, so that a picture of one column, enlarged, takes no more memory than another.
 *
 * @param {Uint8Array} rgb
 * @param {Window} columns
 * @param {Window} rows
 * @returns {Uint8Array} shape [rows.count, columns.count, 3]
 */
function resizePart(rgb, columns, rows) {
  const { from: width, count: toWidth } = columns;
  const down = triangleWeights(rows);
  const last = rows.count - 1;
  const top = down.starts[0];
  const lines = down.starts[last] + down.counts[last] - top;
  const part = rgb.subarray(top * width * 3, (top + lines) * width * 3);
  const wide =
    columns.to === width && toWidth === width
      ? part
      : resample(part, lines, triangleWeights(columns), toWidth, 3, 3 * width, 3 * toWidth);
  if (rows.to === rows.from && rows.count === rows.from) return wide;
  for (let x = 0; x <= last; x++) down.starts[x] -= top;
  return resample(wide, toWidth, down, rows.count, 3 * toWidth, 3, 3);
}

/**
 * One pass over `lines` parallel lines, each of which becomes `count` pixels.
 *
 * @param {Uint8Array} source
 * @param {number} lines
 * @param {ReturnType<typeof triangleWeights>} weighing
 * @param {number} count
 * @param {number} step distance of neighbouring pixels of a line, in both source and target
 * @param {number} sourceLine distance of neighbouring lines in the source
 * @param {number} targetLine the same in the target
 */
function resample(source, lines, { starts, counts, weights, taps }, count, step, sourceLine, targetLine) {
  const target = new Uint8ClampedArray(lines * count * 3);
  for (let x = 0; x < count; x++) {
    for (let line = 0; line < lines; line++) {
      let at = line * sourceLine + starts[x] * step;
      let red = 1 << (precision - 1);
      let green = red;
      let blue = red;
      for (let i = x * taps, end = i + counts[x]; i < end; i++) {
        const weight = weights[i];
        red += source[at] * weight;
        green += source[at + 1] * weight;
        blue += source[at + 2] * weight;
        at += step;
      }
      const out = line * targetLine + x * step;
      target[out] = red >> precision;
      target[out + 1] = green >> precision;
      target[out + 2] = blue >> precision;
    }
  }
  return new Uint8Array(target.buffer);
}

/**
 * Fits RGB bytes of any size into a square.
 *
 * `crop`: the shorter side becomes `size`, the middle is cut out, as torchvision's Resize(size) and CenterCrop(size) on
 * Pillow images. `stretch`: both sides become `size`.
 *
 * @param {Uint8Array} rgb
 * @param {number} width
 * @param {number} height
 * @param {number} size
 * @param {'crop' | 'stretch'} mode
 */
export function fitSquare(rgb, width, height, size, mode) {
  const longer = Math.trunc((size * Math.max(width, height)) / Math.min(width, height));
  /** @param {number} from @param {boolean} isLonger @returns {Window} */
  const side = (from, isLonger) => {
    const to = mode === 'crop' && isLonger ? longer : size;
    return { from, to, first: roundHalfToEven((to - size) / 2), count: size };
  };
  return resizePart(rgb, side(width, width > height), side(height, height > width));
}

/** Python's `round`, which torchvision's CenterCrop uses. @param {number} value */
function roundHalfToEven(value) {
  const floor = Math.floor(value);
  return value - floor === 0.5 ? floor + (floor % 2) : Math.round(value);
}
