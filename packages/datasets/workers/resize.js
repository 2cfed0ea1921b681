// @ts-check
// Pillow's bilinear resize (antialiased when it shrinks) in its own integer arithmetic, so that the bytes are equal:
// each pass weighs pixels by a triangle as wide as the shrinking factor, in fixed point with 22 bits, and rounds to 8 bits.
// https://github.com/python-pillow/Pillow/blob/main/src/libImaging/Resample.c

const precision = 22;

/**
 * Fixed-point weights of one axis: output x sums `counts[x]` pixels from `starts[x]` on.
 *
 * @param {number} from
 * @param {number} to
 */
function triangleWeights(from, to) {
  const scale = from / to;
  const support = Math.max(scale, 1);
  const taps = Math.ceil(support) * 2 + 1;
  const starts = new Int32Array(to);
  const counts = new Int32Array(to);
  const weights = new Int32Array(to * taps);
  const row = new Float64Array(taps);
  for (let x = 0; x < to; x++) {
    const center = (x + 0.5) * scale;
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
 * Resizes RGB bytes [height, width, 3] to [toHeight, toWidth, 3]: first along rows, then along columns, as Pillow does.
 *
 * @param {Uint8Array} rgb
 * @param {number} width
 * @param {number} height
 * @param {number} toWidth
 * @param {number} toHeight
 */
export function resizeBilinear(rgb, width, height, toWidth, toHeight) {
  const wide = width === toWidth ? rgb : resample(rgb, height, width, toWidth, 3, 3 * width, 3 * toWidth);
  return height === toHeight ? wide : resample(wide, toWidth, height, toHeight, 3 * toWidth, 3, 3);
}

/**
 * One pass over `lines` parallel lines of `from` pixels.
 *
 * @param {Uint8Array} source
 * @param {number} lines
 * @param {number} from
 * @param {number} to
 * @param {number} step distance of neighbouring pixels of a line, in both source and target
 * @param {number} sourceLine distance of neighbouring lines in the source
 * @param {number} targetLine the same in the target
 */
function resample(source, lines, from, to, step, sourceLine, targetLine) {
  const { starts, counts, weights, taps } = triangleWeights(from, to);
  const target = new Uint8ClampedArray(lines * to * 3);
  for (let x = 0; x < to; x++) {
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
  if (mode === 'stretch') return resizeBilinear(rgb, width, height, size, size);
  const longer = Math.trunc((size * Math.max(width, height)) / Math.min(width, height));
  const [toWidth, toHeight] = width <= height ? [size, longer] : [longer, size];
  const resized = resizeBilinear(rgb, width, height, toWidth, toHeight);
  const left = roundHalfToEven((toWidth - size) / 2);
  const top = roundHalfToEven((toHeight - size) / 2);
  if (toWidth === size) return resized.subarray(top * size * 3, (top + size) * size * 3);
  const square = new Uint8Array(size * size * 3);
  for (let y = 0; y < size; y++) {
    const at = ((top + y) * toWidth + left) * 3;
    square.set(resized.subarray(at, at + size * 3), y * size * 3);
  }
  return square;
}

/** Python's `round`, which torchvision's CenterCrop uses. @param {number} value */
function roundHalfToEven(value) {
  const floor = Math.floor(value);
  return value - floor === 0.5 ? floor + (floor % 2) : Math.round(value);
}
