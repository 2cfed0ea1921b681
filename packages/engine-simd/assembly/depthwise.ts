// Convolutions by one filter per channel, NHWC. Channels are the innermost axis of everything. Inside a line, four neighbouring pixels of eight channels
// share the loads of their windows; at its ends, and for windows of other sizes, a pixel of sixteen channels sums the taps that lie inside the image.
import { STEP, storeStep } from './channel-steps';
import { depthwiseGradientLine, depthwiseTile, PIXELS } from './generated/depthwise';
import { madd } from './generated/micro';
import { floats } from './words';

/** Bytes of the channels that a tile has. */
const TILE: usize = 32;

@unmanaged
class DepthwiseJob {
  task: i32;
  input: usize;
  /** [filterHeight, filterWidth, channels]; for the gradient of the filter the parts that are summed afterwards. */
  filter: usize;
  output: usize;
  height: i32;
  width: i32;
  channels: i32;
  outputHeight: i32;
  outputWidth: i32;
  filterHeight: i32;
  filterWidth: i32;
  strideY: i32;
  strideX: i32;
  top: i32;
  left: i32;
  dilationY: i32;
  dilationX: i32;
  images: i32;
  /** Images of a part of the filter's gradient. */
  partImages: i32;
  /** Whether the filter is taken from its end to its beginning. */
  flipped: i32;
}

/** Whether the inner loops for windows of three and five pixels do it. */
function hasTiles(job: DepthwiseJob): bool {
  const size = job.filterWidth;
  const square = size === job.filterHeight && job.strideX === job.strideY && job.dilationX === 1 && job.dilationY === 1;
  return square && (size === 3 || size === 5) && job.strideX <= 2;
}

/** The first tap at or after 0 of a window that begins at `start`. */
function firstTap(start: i32, dilation: i32): i32 {
  return start >= 0 ? 0 : (dilation - 1 - start) / dilation;
}

/** The first tap past `length`, or past the window. */
function lastTap(start: i32, dilation: i32, length: i32, taps: i32): i32 {
  return start >= length ? 0 : min(taps, (length - 1 - start) / dilation + 1);
}

/** One line of the output. */
export function depthwiseTask(address: usize, index: i32): void {
  const job = changetype<DepthwiseJob>(address);
  const pixel = floats(job.channels);
  const image = index / job.outputHeight;
  const y = (index - image * job.outputHeight) * job.strideY - job.top;
  const taps0 = firstTap(y, job.dilationY);
  const taps1 = lastTap(y, job.dilationY, job.height, job.filterHeight);
  const line = <usize>(job.width * job.dilationY) * pixel;
  const input = job.input + <usize>((image * job.height + y + taps0 * job.dilationY) * job.width) * pixel;
  const size = job.filterWidth;
  const wStep = job.flipped ? 0 - pixel : pixel;
  const first = job.filter + (job.flipped ? <usize>(job.filterHeight * size - 1) * pixel : 0);
  const filter = first + <usize>(taps0 * size) * wStep;
  const output = job.output + <usize>(index * job.outputWidth) * pixel;
  const lines = max(0, taps1 - taps0);
  // the positions whose whole window lies between the sides
  let begin = job.outputWidth;
  let end = job.outputWidth;
  const room = job.width + job.left - size;
  if (hasTiles(job) && room >= 0) {
    begin = min(job.outputWidth, (job.left + job.strideX - 1) / job.strideX);
    end = min(job.outputWidth, room / job.strideX + 1);
    if (end - begin < PIXELS) begin = end = job.outputWidth;
  }
  const tiled = begin < end ? pixel & ~(TILE - 1) : 0;
  const wLine = <usize>size * wStep;
  for (let j = 0; j < job.outputWidth; j++) {
    // inside, only the channels that fill no tile
    const from = j >= begin && j < end ? tiled : 0;
    if (from === pixel) continue;
    const x = j * job.strideX - job.left;
    const tap0 = firstTap(x, job.dilationX);
    const taps = lastTap(x, job.dilationX, job.width, size) - tap0;
    const p = input + <usize>(x + tap0 * job.dilationX) * pixel;
    const to = output + <usize>j * pixel;
    onePixel(p, line, <usize>job.dilationX * pixel, filter + <usize>tap0 * wStep, wLine, wStep, lines, taps, to, from, pixel);
  }
  for (let c: usize = 0; c < tiled; c += TILE) {
    for (let j = begin; j < end; j += PIXELS) {
      j = min(j, end - PIXELS); // the last tile may compute some pixels again
      const p = input + <usize>(j * job.strideX - job.left) * pixel + c;
      const to = output + <usize>j * pixel + c;
      depthwiseTile(size, job.strideX, p, line, filter + c, wStep, wLine, pixel, lines, to, pixel);
    }
  }
}

/** The channels from `from` to `end` of a pixel: the sum over so many lines of so many taps. */
function onePixel(
  p: usize,
  line: usize,
  step: usize,
  w: usize,
  wLine: usize,
  wStep: usize,
  lines: i32,
  taps: i32,
  to: usize,
  from: usize,
  end: usize,
): void {
  for (let c = from; c < end; c += STEP) {
    let s0 = f32x4.splat(0);
    let s1 = s0;
    let s2 = s0;
    let s3 = s0;
    let pLine = p + c;
    let wOfLine = w + c;
    for (let t = 0; t < lines; t++, pLine += line, wOfLine += wLine) {
      let x = pLine;
      let y = wOfLine;
      for (let tap = 0; tap < taps; tap++, x += step, y += wStep) {
        s0 = madd(v128.load(x), v128.load(y), s0);
        s1 = madd(v128.load(x, 16), v128.load(y, 16), s1);
        s2 = madd(v128.load(x, 32), v128.load(y, 32), s2);
        s3 = madd(v128.load(x, 48), v128.load(y, 48), s3);
      }
    }
    storeStep(to + c, min(STEP, end - c), s0, s1, s2, s3);
  }
}

/** One line of the input's gradient; `output` is dy. Strides of 1 have the convolution with the flipped filter instead. */
export function depthwiseInputGradientTask(address: usize, index: i32): void {
  const job = changetype<DepthwiseJob>(address);
  if (hasTiles(job) && job.strideX === 2) halves(job, index);
  else anyInputGradient(job, index);
}

/**
 * A line of the gradient at a stride of 2: pixels in even places take every second tap of the window, those in odd places the others. Of either kind,
 * neighbours take neighbouring pixels of dy, with the taps from the last to the first.
 */
function halves(job: DepthwiseJob, index: i32): void {
  const pixel = floats(job.channels);
  const size = job.filterWidth;
  const image = index / job.height;
  const y = index - image * job.height + job.top;
  const i = y >> 1;
  const a0 = max(0, i - job.outputHeight + 1);
  const a1 = min((size - 1 - (y & 1)) >> 1, i);
  const lines = max(0, a1 - a0 + 1);
  const line = <usize>job.outputWidth * pixel;
  const dy = job.output + <usize>((image * job.outputHeight + i - a1) * job.outputWidth) * pixel;
  const filter = job.filter + <usize>(((y & 1) + 2 * a1) * size) * pixel;
  const wStep = 0 - 2 * pixel;
  const wLine = <usize>size * wStep;
  const dx = job.input + <usize>(index * job.width) * pixel;
  for (let odd = 0; odd < 2; odd++) {
    const first = (odd - job.left) & 1;
    const taps = (size - odd + 1) >> 1;
    const count = (job.width - first + 1) >> 1;
    const start = ((first + job.left - odd) >> 1) - (taps - 1); // where the window of the first begins in dy
    let begin = max(0, -start);
    let end = min(count, job.outputWidth - taps - start + 1);
    if (end - begin < PIXELS) begin = end = count;
    const tiled = begin < end ? pixel & ~(TILE - 1) : 0;
    const weights = filter + <usize>(odd + 2 * (taps - 1)) * pixel;
    for (let m = 0; m < count; m++) {
      const from = m >= begin && m < end ? tiled : 0;
      if (from === pixel) continue;
      const skip = max(0, -(start + m));
      const inside = min(taps, job.outputWidth - start - m) - skip;
      const p = dy + <usize>(start + m + skip) * pixel;
      const to = dx + <usize>(first + 2 * m) * pixel;
      onePixel(p, line, pixel, weights + <usize>skip * wStep, wLine, wStep, lines, inside, to, from, pixel);
    }
    for (let c: usize = 0; c < tiled; c += TILE) {
      for (let m = begin; m < end; m += PIXELS) {
        m = min(m, end - PIXELS);
        const p = dy + <usize>(start + m) * pixel + c;
        const to = dx + <usize>(first + 2 * m) * pixel + c;
        depthwiseTile(taps, 1, p, line, weights + c, wStep, wLine, pixel, lines, to, 2 * pixel);
      }
    }
  }
}

function anyInputGradient(job: DepthwiseJob, index: i32): void {
  const pixel = floats(job.channels);
  const image = index / job.height;
  const y = index - image * job.height;
  const dy = job.output + <usize>(image * job.outputHeight * job.outputWidth) * pixel;
  let dx = job.input + <usize>(index * job.width) * pixel;
  for (let x = 0; x < job.width; x++, dx += pixel) {
    for (let c: usize = 0; c < pixel; c += STEP) {
      let s0 = f32x4.splat(0);
      let s1 = s0;
      let s2 = s0;
      let s3 = s0;
      for (let tapY = 0; tapY < job.filterHeight; tapY++) {
        const i = outputPosition(y + job.top - tapY * job.dilationY, job.strideY, job.outputHeight);
        if (i < 0) continue;
        for (let tapX = 0; tapX < job.filterWidth; tapX++) {
          const j = outputPosition(x + job.left - tapX * job.dilationX, job.strideX, job.outputWidth);
          if (j < 0) continue;
          const from = dy + <usize>(i * job.outputWidth + j) * pixel + c;
          const weights = job.filter + <usize>(tapY * job.filterWidth + tapX) * pixel + c;
          s0 = madd(v128.load(from), v128.load(weights), s0);
          s1 = madd(v128.load(from, 16), v128.load(weights, 16), s1);
          s2 = madd(v128.load(from, 32), v128.load(weights, 32), s2);
          s3 = madd(v128.load(from, 48), v128.load(weights, 48), s3);
        }
      }
      storeStep(dx + c, min(STEP, pixel - c), s0, s1, s2, s3);
    }
  }
}

/** Output position whose window begins at `start`, -1 where there is none. */
function outputPosition(start: i32, stride: i32, size: i32): i32 {
  if (start < 0) return -1;
  const position = stride === 1 ? start : stride === 2 ? start >> 1 : start / stride;
  return position * stride === start && position < size ? position : -1;
}

/** One part of the filter's gradient, the sum over a part of the images; `output` is dy. */
export function depthwiseFilterGradientTask(address: usize, index: i32): void {
  const job = changetype<DepthwiseJob>(address);
  const pixel = floats(job.channels);
  const size = job.filterWidth;
  const taps = job.filterHeight * size;
  const part = job.filter + <usize>(index * taps) * pixel;
  const last = min(job.images, (index + 1) * job.partImages);
  memory.fill(part, 0, <usize>taps * pixel);
  let begin = 0;
  let end = 0;
  const room = job.width + job.left - size;
  if (hasTiles(job) && room >= 0) {
    begin = min(job.outputWidth, (job.left + job.strideX - 1) / job.strideX);
    end = max(begin, min(job.outputWidth, room / job.strideX + 1));
  }
  const tiled = begin < end ? pixel & ~(TILE - 1) : 0;
  for (let image = index * job.partImages; image < last; image++) {
    const input = job.input + <usize>(image * job.height * job.width) * pixel;
    const dy = job.output + <usize>(image * job.outputHeight * job.outputWidth) * pixel;
    for (let tapY = 0; tapY < job.filterHeight; tapY++) {
      const lineOfPart = part + <usize>(tapY * size) * pixel;
      // lines of the output whose window has this line of taps inside the image
      const shift = tapY * job.dilationY - job.top;
      const i0 = firstTap(shift, job.strideY);
      const i1 = lastTap(shift, job.strideY, job.height, job.outputHeight);
      for (let i = i0; i < i1; i++) {
        const row = input + <usize>((i * job.strideY + shift) * job.width) * pixel;
        const dyRow = dy + <usize>(i * job.outputWidth) * pixel;
        for (let c: usize = 0; c < tiled; c += TILE) {
          const x = row + <usize>(begin * job.strideX - job.left) * pixel + c;
          const by = dyRow + <usize>begin * pixel + c;
          depthwiseGradientLine(size, x, <usize>job.strideX * pixel, by, pixel, end - begin, lineOfPart + c);
        }
        for (let tapX = 0; tapX < size; tapX++) {
          const left = tapX * job.dilationX - job.left;
          const j0 = firstTap(left, job.strideX);
          const j1 = lastTap(left, job.strideX, job.width, job.outputWidth);
          const sums = lineOfPart + <usize>tapX * pixel;
          if (tiled < pixel) ends(job, row, dyRow, left, j0, j1, sums, pixel, tiled);
          if (tiled > 0) {
            ends(job, row, dyRow, left, j0, min(begin, j1), sums, tiled, 0);
            ends(job, row, dyRow, left, max(end, j0), j1, sums, tiled, 0);
          }
        }
      }
    }
  }
}

/** sums += sum over the positions from j0 to j1 of x dy, for the channels from `from` to `to`. */
function ends(
  job: DepthwiseJob,
  row: usize,
  dyRow: usize,
  left: i32,
  j0: i32,
  j1: i32,
  sums: usize,
  to: usize,
  from: usize,
): void {
  if (j1 <= j0) return;
  const pixel = floats(job.channels);
  const xStep = <usize>job.strideX * pixel;
  const x = row + <usize>(j0 * job.strideX + left) * pixel;
  const dy = dyRow + <usize>j0 * pixel;
  for (let c = from; c < to; c += STEP) {
    let s0 = v128.load(sums + c);
    let s1 = v128.load(sums + c, 16);
    let s2 = v128.load(sums + c, 32);
    let s3 = v128.load(sums + c, 48);
    let p = x + c;
    let by = dy + c;
    for (let j = j0; j < j1; j++, p += xStep, by += pixel) {
      s0 = madd(v128.load(p), v128.load(by), s0);
      s1 = madd(v128.load(p, 16), v128.load(by, 16), s1);
      s2 = madd(v128.load(p, 32), v128.load(by, 32), s2);
      s3 = madd(v128.load(p, 48), v128.load(by, 48), s3);
    }
    storeStep(sums + c, min(STEP, to - c), s0, s1, s2, s3);
  }
}
