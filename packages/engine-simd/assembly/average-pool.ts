// Mean over windows, NHWC, and its gradient.
import { storeStep } from './depthwise';
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

/** Channels of a step, in bytes. */
const STEP: usize = 64;

/** One line of the output: the mean of those positions of a window that are inside. */
export function averagePoolTask(address: usize, index: i32): void {
  const job = changetype<AveragePoolJob>(address);
  const pixel = floats(job.channels);
  const image = index / job.outputHeight;
  const i = index - image * job.outputHeight;
  const input = job.input + <usize>(image * job.height * job.width) * pixel;
  const y0 = max(0, i * job.strideY - job.top);
  const y1 = min(job.height, i * job.strideY - job.top + job.filterHeight);
  let output = job.output + <usize>(index * job.outputWidth) * pixel;
  for (let j = 0; j < job.outputWidth; j++, output += pixel) {
    const x0 = max(0, j * job.strideX - job.left);
    const x1 = min(job.width, j * job.strideX - job.left + job.filterWidth);
    const share = f32x4.splat(<f32>1 / <f32>((y1 - y0) * (x1 - x0)));
    for (let c: usize = 0; c < pixel; c += STEP) {
      let s0 = f32x4.splat(0);
      let s1 = s0;
      let s2 = s0;
      let s3 = s0;
      for (let y = y0; y < y1; y++) {
        let from = input + <usize>(y * job.width + x0) * pixel + c;
        for (let x = x0; x < x1; x++, from += pixel) {
          s0 = f32x4.add(s0, v128.load(from));
          s1 = f32x4.add(s1, v128.load(from, 16));
          s2 = f32x4.add(s2, v128.load(from, 32));
          s3 = f32x4.add(s3, v128.load(from, 48));
        }
      }
      const bytes = min(STEP, pixel - c);
      storeStep(output + c, bytes, f32x4.mul(s0, share), f32x4.mul(s1, share), f32x4.mul(s2, share), f32x4.mul(s3, share));
    }
  }
}

/**
 * One line of the gradient: `output` is dy, of which every window spreads one part in filterHeight * filterWidth over its positions. So
 * TensorFlow.js has it, at borders too, where its mean is over fewer.
 */
export function averagePoolGradientTask(address: usize, index: i32): void {
  const job = changetype<AveragePoolJob>(address);
  const pixel = floats(job.channels);
  const image = index / job.height;
  const y = index - image * job.height;
  const dy = job.output + <usize>(image * job.outputHeight * job.outputWidth) * pixel;
  const i0 = firstWindow(y + job.top, job.filterHeight, job.strideY);
  const i1 = min(job.outputHeight, (y + job.top) / job.strideY + 1);
  const share = f32x4.splat(<f32>1 / <f32>(job.filterHeight * job.filterWidth));
  let dx = job.input + <usize>(index * job.width) * pixel;
  for (let x = 0; x < job.width; x++, dx += pixel) {
    const j0 = firstWindow(x + job.left, job.filterWidth, job.strideX);
    const j1 = min(job.outputWidth, (x + job.left) / job.strideX + 1);
    for (let c: usize = 0; c < pixel; c += STEP) {
      let s0 = f32x4.splat(0);
      let s1 = s0;
      let s2 = s0;
      let s3 = s0;
      for (let i = i0; i < i1; i++) {
        let from = dy + <usize>(i * job.outputWidth + j0) * pixel + c;
        for (let j = j0; j < j1; j++, from += pixel) {
          s0 = f32x4.add(s0, v128.load(from));
          s1 = f32x4.add(s1, v128.load(from, 16));
          s2 = f32x4.add(s2, v128.load(from, 32));
          s3 = f32x4.add(s3, v128.load(from, 48));
        }
      }
      const bytes = min(STEP, pixel - c);
      storeStep(dx + c, bytes, f32x4.mul(s0, share), f32x4.mul(s1, share), f32x4.mul(s2, share), f32x4.mul(s3, share));
    }
  }
}

/** First window that reaches a position, counted with the margin. */
function firstWindow(position: i32, filter: i32, stride: i32): i32 {
  return position < filter ? 0 : (position - filter) / stride + 1;
}
