// Mean over windows, NHWC, and its gradient.
import { STEP, storeStep } from './channel-steps';
import { endWindow, firstWindow, windowEnd, windowStart } from './windows';
import { floats } from './words';

@unmanaged
class AveragePoolJob {
  task: i32;
  input: usize;
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
}

/** One line of the output: the mean of those positions of a window that are inside. */
export function averagePoolTask(address: usize, index: i32): void {
  const job = changetype<AveragePoolJob>(address);
  const pixel = floats(job.channels);
  const image = index / job.outputHeight;
  const i = index - image * job.outputHeight;
  const input = job.input + <usize>(image * job.height * job.width) * pixel;
  const y0 = windowStart(i, job.strideY, job.top);
  const y1 = windowEnd(i, job.strideY, job.top, job.filterHeight, job.height);
  let output = job.output + <usize>(index * job.outputWidth) * pixel;
  for (let j = 0; j < job.outputWidth; j++, output += pixel) {
    const x0 = windowStart(j, job.strideX, job.left);
    const x1 = windowEnd(j, job.strideX, job.left, job.filterWidth, job.width);
    const share: f32 = <f32>1 / <f32>((y1 - y0) * (x1 - x0));
    storeScaledSum(input, job.width, y0, y1, x0, x1, pixel, share, output);
  }
}

/**
 * One line of the gradient: `output` is dy, of which every window spreads one part in filterHeight * filterWidth over its positions. At
 * borders, where the mean is over fewer, `@tfjs-ssl/ops` weights dy before.
 */
export function averagePoolGradientTask(address: usize, index: i32): void {
  const job = changetype<AveragePoolJob>(address);
  const pixel = floats(job.channels);
  const image = index / job.height;
  const y = index - image * job.height;
  const dy = job.output + <usize>(image * job.outputHeight * job.outputWidth) * pixel;
  const i0 = firstWindow(y, job.strideY, job.top, job.filterHeight);
  const i1 = endWindow(y, job.strideY, job.top, job.outputHeight);
  const share: f32 = <f32>1 / <f32>(job.filterHeight * job.filterWidth);
  let dx = job.input + <usize>(index * job.width) * pixel;
  for (let x = 0; x < job.width; x++, dx += pixel) {
    const j0 = firstWindow(x, job.strideX, job.left, job.filterWidth);
    const j1 = endWindow(x, job.strideX, job.left, job.outputWidth);
    storeScaledSum(dy, job.outputWidth, i0, i1, j0, j1, pixel, share, dx);
  }
}

/** to[c] = share * the sum of from[y, x, c] over a rectangle of an image that is `width` pixels wide. */
function storeScaledSum(
  from: usize,
  width: i32,
  y0: i32,
  y1: i32,
  x0: i32,
  x1: i32,
  pixel: usize,
  share: f32,
  to: usize,
): void {
  const shares = f32x4.splat(share);
  for (let c: usize = 0; c < pixel; c += STEP) {
    let s0 = f32x4.splat(0);
    let s1 = s0;
    let s2 = s0;
    let s3 = s0;
    for (let y = y0; y < y1; y++) {
      let at = from + <usize>(y * width + x0) * pixel + c;
      for (let x = x0; x < x1; x++, at += pixel) {
        s0 = f32x4.add(s0, v128.load(at));
        s1 = f32x4.add(s1, v128.load(at, 16));
        s2 = f32x4.add(s2, v128.load(at, 32));
        s3 = f32x4.add(s3, v128.load(at, 48));
      }
    }
    const bytes = min(STEP, pixel - c);
    storeStep(to + c, bytes, f32x4.mul(s0, shares), f32x4.mul(s1, shares), f32x4.mul(s2, shares), f32x4.mul(s3, shares));
  }
}
