import { windowEnd, windowStart } from './windows';
import { floats } from './words';

@unmanaged
class MaxPoolJob {
  task: i32;
  input: usize;
  /** Forward: written. Gradient: dy. */
  output: usize;
  /** Gradient: written. */
  dx: usize;
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

/** Maximum over windows for one image, NaN where a window has one; positions outside do not count. */
export function maxPoolTask(address: usize, image: i32): void {
  const job = changetype<MaxPoolJob>(address);
  const pixel = floats(job.channels);
  const whole = floats(job.channels & ~3);
  const input = job.input + <usize>(image * job.height * job.width) * pixel;
  let output = job.output + <usize>(image * job.outputHeight * job.outputWidth) * pixel;
  for (let i = 0; i < job.outputHeight; i++) {
    const y0 = windowStart(i, job.strideY, job.top);
    const y1 = windowEnd(i, job.strideY, job.top, job.filterHeight, job.height);
    for (let j = 0; j < job.outputWidth; j++, output += pixel) {
      const x0 = windowStart(j, job.strideX, job.left);
      const x1 = windowEnd(j, job.strideX, job.left, job.filterWidth, job.width);
      let c: usize = 0;
      for (; c < whole; c += 16) {
        let best = f32x4.splat(-Infinity);
        let lost = i32x4.splat(0);
        for (let y = y0; y < y1; y++) {
          let p = input + <usize>(y * job.width + x0) * pixel + c;
          for (let x = x0; x < x1; x++, p += pixel) {
            const value = v128.load(p);
            best = f32x4.pmax(best, value);
            lost = v128.or(lost, f32x4.ne(value, value));
          }
        }
        v128.store(output + c, v128.or(best, lost)); // all bits set are NaN
      }
      for (; c < pixel; c += 4) {
        let best: f32 = -Infinity;
        for (let y = y0; y < y1; y++) {
          let p = input + <usize>(y * job.width + x0) * pixel + c;
          for (let x = x0; x < x1; x++, p += pixel) best = max<f32>(best, load<f32>(p));
        }
        store<f32>(output + c, best);
      }
    }
  }
}

/** Gradient for one image: dy goes to the first position of its window that holds the maximum. */
export function maxPoolGradientTask(address: usize, image: i32): void {
  const job = changetype<MaxPoolJob>(address);
  const pixel = floats(job.channels);
  const whole = floats(job.channels & ~3);
  const input = job.input + <usize>(image * job.height * job.width) * pixel;
  const dx = job.dx + <usize>(image * job.height * job.width) * pixel;
  let dy = job.output + <usize>(image * job.outputHeight * job.outputWidth) * pixel;
  memory.fill(dx, 0, <usize>(job.height * job.width) * pixel);
  for (let i = 0; i < job.outputHeight; i++) {
    const y0 = windowStart(i, job.strideY, job.top);
    const y1 = windowEnd(i, job.strideY, job.top, job.filterHeight, job.height);
    for (let j = 0; j < job.outputWidth; j++, dy += pixel) {
      const x0 = windowStart(j, job.strideX, job.left);
      const x1 = windowEnd(j, job.strideX, job.left, job.filterWidth, job.width);
      let c: usize = 0;
      for (; c < whole; c += 16) spreadVector(job, input + c, dx + c, v128.load(dy + c), y0, y1, x0, x1, pixel);
      for (; c < pixel; c += 4) {
        let best: f32 = -Infinity;
        let where: usize = usize.MAX_VALUE;
        for (let y = y0; y < y1; y++) {
          for (let x = x0; x < x1; x++) {
            const at = <usize>(y * job.width + x) * pixel + c;
            const value = load<f32>(input + at);
            if (value > best) {
              best = value;
              where = at;
            }
          }
        }
        if (where !== usize.MAX_VALUE) store<f32>(dx + where, load<f32>(dx + where) + load<f32>(dy + c));
      }
    }
  }
}

function spreadVector(
  job: MaxPoolJob,
  input: usize,
  dx: usize,
  dy: v128,
  y0: i32,
  y1: i32,
  x0: i32,
  x1: i32,
  pixel: usize,
): void {
  let best = f32x4.splat(-Infinity);
  let where = i32x4.splat(-1);
  for (let y = y0; y < y1; y++) {
    for (let x = x0; x < x1; x++) {
      const position = y * job.width + x;
      const value = v128.load(input + <usize>position * pixel);
      const greater = f32x4.gt(value, best);
      best = v128.bitselect(value, best, greater);
      where = v128.bitselect(i32x4.splat(position), where, greater);
    }
  }
  for (let y = y0; y < y1; y++) {
    for (let x = x0; x < x1; x++) {
      const position = y * job.width + x;
      const to = dx + <usize>position * pixel;
      const chosen = i32x4.eq(where, i32x4.splat(position));
      v128.store(to, f32x4.add(v128.load(to), v128.and(dy, chosen)));
    }
  }
}

@unmanaged
class GlobalAveragePoolGradientJob {
  task: i32;
  dy: usize;
  dx: usize;
  positions: i32;
  channels: i32;
}

/** dx[n, p, c] = dy[n, c] / positions for one image. */
export function globalAveragePoolGradientTask(address: usize, image: i32): void {
  const job = changetype<GlobalAveragePoolGradientJob>(address);
  const pixel = floats(job.channels);
  const whole = floats(job.channels & ~3);
  const dy = job.dy + <usize>image * pixel;
  let dx = job.dx + <usize>(image * job.positions) * pixel;
  const share: f32 = <f32>1 / <f32>job.positions;
  const shares = f32x4.splat(share);
  for (let p = 0; p < job.positions; p++, dx += pixel) {
    let c: usize = 0;
    for (; c < whole; c += 16) v128.store(dx + c, f32x4.mul(v128.load(dy + c), shares));
    for (; c < pixel; c += 4) store<f32>(dx + c, load<f32>(dy + c) * share);
  }
}
