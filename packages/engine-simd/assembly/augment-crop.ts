// Crop and bilinear resize with half-pixel centres: rows first, then columns, straight from pixels into planes.
import { planeLength } from './augment-planes';
import { floats, int, real } from './words';

/**
 * Cuts the box of a row (top, left, height, width) out of an image and resizes it. A box that is not within the image gives NaN.
 *
 * @param pixels image, three floats a pixel
 * @param stage words: kind, height and width of the result, 1 where the filter shall widen when it shrinks
 * @param planes receives the result
 * @param extra memory for weights and one row
 */
export function resizedCrop(
  pixels: usize,
  imageHeight: i32,
  imageWidth: i32,
  row: usize,
  stage: usize,
  planes: usize,
  extra: usize,
): void {
  const top = <i32>real(row, 0);
  const left = <i32>real(row, 1);
  const boxHeight = <i32>real(row, 2);
  const boxWidth = <i32>real(row, 3);
  const height = int(stage, 1);
  const width = int(stage, 2);
  const antialias = int(stage, 3) !== 0;
  const plane = floats(planeLength(height * width));
  if (!isInside(real(row, 0), real(row, 2), imageHeight) || !isInside(real(row, 1), real(row, 3), imageWidth)) {
    for (let at = planes; at < planes + 3 * plane; at += 16) v128.store(at, f32x4.splat(NaN));
    return;
  }
  const rowSupport = antialias ? max(boxHeight, height) : height;
  const columnSupport = antialias ? max(boxWidth, width) : width;
  const rowStride = tapStride(rowSupport, height);
  const columnStride = tapStride(columnSupport, width);

  // Columns are done four at a time; the table repeats the last one to fill up.
  const paddedWidth = (width + 3) & ~3;
  const starts = extra;
  const columnWeights = starts + floats(paddedWidth);
  const rowWeights = columnWeights + floats(paddedWidth * columnStride);
  const line = rowWeights + floats(rowStride);
  let taps = 1;
  for (let x = 0; x < paddedWidth; x++) {
    const weights = columnWeights + floats(x * columnStride);
    const range = interpolate(min(x, width - 1), boxWidth, width, columnSupport, columnStride, weights);
    store<i32>(starts + floats(x), <i32>(range >> 32));
    taps = max(taps, <i32>range);
  }
  // Taps of weight 0 may look past the end of the line.
  memory.fill(line + floats(3 * boxWidth), 0, floats(3 * taps + 4));

  const from = pixels + floats(3 * (top * imageWidth + left));
  for (let y = 0; y < height; y++) {
    const range = interpolate(y, boxHeight, height, rowSupport, rowStride, rowWeights);
    const first = from + floats(3 * imageWidth * <i32>(range >> 32));
    combineRows(first, floats(3 * imageWidth), rowWeights, <i32>range, 3 * boxWidth, line);
    let to = planes + floats(y * width);
    for (let x = 0; x < width; x += 4, to += 16) {
      const weights = columnWeights + floats(x * columnStride);
      const p0 = pixel(line, int(starts, x), weights, taps);
      const p1 = pixel(line, int(starts, x + 1), weights + floats(columnStride), taps);
      const p2 = pixel(line, int(starts, x + 2), weights + floats(2 * columnStride), taps);
      const p3 = pixel(line, int(starts, x + 3), weights + floats(3 * columnStride), taps);
      const rg01 = f32x4.shuffle(p0, p1, 0, 4, 1, 5);
      const rg23 = f32x4.shuffle(p2, p3, 0, 4, 1, 5);
      v128.store(to, f32x4.shuffle(rg01, rg23, 0, 1, 4, 5));
      v128.store(to + plane, f32x4.shuffle(rg01, rg23, 2, 3, 6, 7));
      v128.store(
        to + 2 * plane,
        f32x4.shuffle(f32x4.shuffle(p0, p1, 2, 6, 0, 0), f32x4.shuffle(p2, p3, 2, 6, 0, 0), 0, 1, 4, 5),
      );
    }
  }
}

/** Also false where one of them is NaN. */
function isInside(begin: f32, length: f32, size: i32): bool {
  return begin >= 0 && length >= 1 && begin + length <= <f32>size;
}

/** Floats between the weights of one output pixel and those of the next; as `src/kernels/augment-images.ts` has it. */
function tapStride(support: i32, size: i32): i32 {
  return 2 * ((support + size - 1) / size) + 2;
}

/**
 * Weights of the input pixels in output pixel `i`: max(0, 1 - |(i + 1/2) length - (j + 1/2) size| / support), normalised.
 *
 * Both products are exact in float32. Weights of 0 at the ends are left out; the rest of the stride is filled with 0.
 *
 * @returns first input pixel << 32 | number of weights
 */
function interpolate(i: i32, length: i32, size: i32, support: i32, stride: i32, weights: usize): u64 {
  const centre = (<f32>i + 0.5) * <f32>length;
  let first = max(0, <i32>Mathf.floor((centre - <f32>support) / <f32>size - 0.5));
  let count = 0;
  let total: f32 = 0;
  for (let j = first; j < length && count < stride; j++) {
    const distance = Mathf.abs(centre - (<f32>j + 0.5) * <f32>size);
    const weight = Mathf.max(0, 1 - distance / <f32>support);
    if (weight > 0) {
      store<f32>(weights + floats(count++), weight);
      total += weight;
    } else if (count === 0) {
      first = j + 1;
    } else {
      break;
    }
  }
  for (let k = 0; k < stride; k++) {
    const at = weights + floats(k);
    store<f32>(at, k < count ? load<f32>(at) / total : 0);
  }
  return (<u64>first << 32) | <u64>count;
}

/** line = sum of `count` rows, each times its weight; `n` floats. */
function combineRows(first: usize, step: usize, weights: usize, count: i32, n: i32, line: usize): void {
  let i = 0;
  for (; i <= n - 4; i += 4) {
    let at = first + floats(i);
    let sum = f32x4.mul(v128.load(at), v128.load32_splat(weights));
    for (let k = 1; k < count; k++) {
      at += step;
      sum = f32x4.add(sum, f32x4.mul(v128.load(at), v128.load32_splat(weights + floats(k))));
    }
    v128.store(line + floats(i), sum);
  }
  for (; i < n; i++) {
    let at = first + floats(i);
    let sum = load<f32>(at) * load<f32>(weights);
    for (let k = 1; k < count; k++) {
      at += step;
      sum += load<f32>(at) * load<f32>(weights + floats(k));
    }
    store<f32>(line + floats(i), sum);
  }
}

/** Weighted sum of neighbouring pixels of a line, in the first three lanes. */
// @ts-expect-error: a decorator of the compiler
@inline
function pixel(line: usize, start: i32, weights: usize, taps: i32): v128 {
  let at = line + floats(3 * start);
  let sum = f32x4.mul(v128.load(at), v128.load32_splat(weights));
  for (let k = 1; k < taps; k++) {
    at += 12;
    sum = f32x4.add(sum, f32x4.mul(v128.load(at), v128.load32_splat(weights + floats(k))));
  }
  return sum;
}
