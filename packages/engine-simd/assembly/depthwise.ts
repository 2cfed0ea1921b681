// Convolutions by one filter per channel, NHWC. Channels are the innermost axis of everything, so sixteen of them are computed at a time
// while a sum over taps, or over pixels, stays in registers.
import { STEP, storeStep } from './channel-steps';
import { madd } from './generated/micro';
import { floats } from './words';

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
}

/** One line of the output. */
export function depthwiseTask(address: usize, index: i32): void {
  const job = changetype<DepthwiseJob>(address);
  const pixel = floats(job.channels);
  const image = index / job.outputHeight;
  const i = index - image * job.outputHeight;
  const input = job.input + <usize>(image * job.height * job.width) * pixel;
  let output = job.output + <usize>(index * job.outputWidth) * pixel;
  for (let j = 0; j < job.outputWidth; j++, output += pixel) {
    for (let c: usize = 0; c < pixel; c += STEP) {
      let s0 = f32x4.splat(0);
      let s1 = s0;
      let s2 = s0;
      let s3 = s0;
      for (let tapY = 0; tapY < job.filterHeight; tapY++) {
        const y = i * job.strideY - job.top + tapY * job.dilationY;
        if (y < 0 || y >= job.height) continue;
        for (let tapX = 0; tapX < job.filterWidth; tapX++) {
          const x = j * job.strideX - job.left + tapX * job.dilationX;
          if (x < 0 || x >= job.width) continue;
          const from = input + <usize>(y * job.width + x) * pixel + c;
          const weights = job.filter + <usize>(tapY * job.filterWidth + tapX) * pixel + c;
          s0 = madd(v128.load(from), v128.load(weights), s0);
          s1 = madd(v128.load(from, 16), v128.load(weights, 16), s1);
          s2 = madd(v128.load(from, 32), v128.load(weights, 32), s2);
          s3 = madd(v128.load(from, 48), v128.load(weights, 48), s3);
        }
      }
      storeStep(output + c, min(STEP, pixel - c), s0, s1, s2, s3);
    }
  }
}

/** One line of the input's gradient; `output` is dy. */
export function depthwiseInputGradientTask(address: usize, index: i32): void {
  const job = changetype<DepthwiseJob>(address);
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
  const position = start / stride;
  return position * stride === start && position < size ? position : -1;
}

/** One part of the filter's gradient, the sum over a part of the images; `output` is dy. */
export function depthwiseFilterGradientTask(address: usize, index: i32): void {
  const job = changetype<DepthwiseJob>(address);
  const pixel = floats(job.channels);
  const taps = job.filterHeight * job.filterWidth;
  const part = job.filter + <usize>(index * taps) * pixel;
  const last = min(job.images, (index + 1) * job.partImages);
  memory.fill(part, 0, <usize>taps * pixel);
  for (let image = index * job.partImages; image < last; image++) {
    const input = job.input + <usize>(image * job.height * job.width) * pixel;
    const dy = job.output + <usize>(image * job.outputHeight * job.outputWidth) * pixel;
    for (let i = 0; i < job.outputHeight; i++) {
      for (let tap = 0; tap < taps; tap++) {
        const tapY = tap / job.filterWidth;
        const y = i * job.strideY - job.top + tapY * job.dilationY;
        if (y < 0 || y >= job.height) continue;
        const left = (tap - tapY * job.filterWidth) * job.dilationX - job.left;
        const j0 = left < 0 ? (job.strideX - 1 - left) / job.strideX : 0;
        const j1 = job.width - 1 - left < 0 ? 0 : min(job.outputWidth, (job.width - 1 - left) / job.strideX + 1);
        if (j1 <= j0) continue;
        const from = input + <usize>(y * job.width + j0 * job.strideX + left) * pixel;
        const by = dy + <usize>(i * job.outputWidth + j0) * pixel;
        addLine(from, <usize>job.strideX * pixel, by, pixel, j1 - j0, part + <usize>tap * pixel);
      }
    }
  }
}

/** sums += sum over n pixels of x dy, for each channel. */
function addLine(x: usize, xStep: usize, dy: usize, pixel: usize, n: i32, sums: usize): void {
  for (let c: usize = 0; c < pixel; c += STEP) {
    let s0 = v128.load(sums + c);
    let s1 = v128.load(sums + c, 16);
    let s2 = v128.load(sums + c, 32);
    let s3 = v128.load(sums + c, 48);
    let from = x + c;
    let by = dy + c;
    for (let j = 0; j < n; j++, from += xStep, by += pixel) {
      s0 = madd(v128.load(from), v128.load(by), s0);
      s1 = madd(v128.load(from, 16), v128.load(by, 16), s1);
      s2 = madd(v128.load(from, 32), v128.load(by, 32), s2);
      s3 = madd(v128.load(from, 48), v128.load(by, 48), s3);
    }
    storeStep(sums + c, min(STEP, pixel - c), s0, s1, s2, s3);
  }
}
