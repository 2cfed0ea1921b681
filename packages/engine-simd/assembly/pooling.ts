import { SCRATCH, SCRATCH_SIZE } from './layout';
import { touch } from './touch';
import { endWindow, firstWindow, windowEnd, windowStart } from './windows';
import { floats } from './words';

/** Lies in memory: V8 has a vector of one number from there in one instruction. */
const LEAST: usize = memory.data<f32>([-Infinity]);

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

/** Reads an image ahead, up to a line; returns the line behind the last that has been read. */
function touchLines(job: MaxPoolJob, image: usize, seen: i32, end: i32, scratch: usize): i32 {
  if (end <= seen) return seen;
  const line = <usize>job.width * floats(job.channels);
  touch(image + <usize>seen * line, <usize>(end - seen) * line, scratch);
  return end;
}

/** Maximum over windows for one image, NaN where a window has one; positions outside do not count. */
export function maxPoolTask(address: usize, image: i32, scratch: usize): void {
  const job = changetype<MaxPoolJob>(address);
  const pixel = floats(job.channels);
  const whole = floats(job.channels & ~3);
  const input = job.input + <usize>(image * job.height * job.width) * pixel;
  let output = job.output + <usize>(image * job.outputHeight * job.outputWidth) * pixel;
  const least = v128.load32_splat(LEAST);
  let seen = 0;
  for (let i = 0; i < job.outputHeight; i++) {
    const y0 = windowStart(i, job.strideY, job.top);
    const y1 = windowEnd(i, job.strideY, job.top, job.filterHeight, job.height);
    seen = touchLines(job, input, seen, y1, scratch);
    for (let j = 0; j < job.outputWidth; j++, output += pixel) {
      const x0 = windowStart(j, job.strideX, job.left);
      const x1 = windowEnd(j, job.strideX, job.left, job.filterWidth, job.width);
      let c: usize = 0;
      for (; c + 32 <= whole; c += 32) {
        let best0 = least;
        let best1 = least;
        let lost0 = i32x4.splat(0);
        let lost1 = lost0;
        for (let y = y0; y < y1; y++) {
          let p = input + <usize>(y * job.width + x0) * pixel + c;
          for (let x = x0; x < x1; x++, p += pixel) {
            const value0 = v128.load(p);
            const value1 = v128.load(p, 16);
            best0 = f32x4.pmax(best0, value0);
            best1 = f32x4.pmax(best1, value1);
            lost0 = v128.or(lost0, f32x4.ne(value0, value0));
            lost1 = v128.or(lost1, f32x4.ne(value1, value1));
          }
        }
        v128.store(output + c, v128.or(best1, lost1), 16); // all bits set are NaN
        v128.store(output + c, v128.or(best0, lost0));
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

@unmanaged
class MaxPoolGradientJob extends MaxPoolJob {
  /** For each thread, `places` bytes: which position holds the maximum, for every channel of some lines of windows. */
  work: usize;
  places: usize;
  /** How many lines of windows reach a line of positions. */
  lines: i32;
}

/**
 * Gradient for one image: dy goes to the first position of its window that holds the maximum. Each line of positions is written once, when the
 * maxima of all windows that reach it are known.
 */
export function maxPoolGradientTask(address: usize, image: i32, scratch: usize): void {
  const job = changetype<MaxPoolGradientJob>(address);
  const pixel = floats(job.channels);
  const input = job.input + <usize>(image * job.height * job.width) * pixel;
  const dx = job.dx + <usize>(image * job.height * job.width) * pixel;
  const dy = job.output + <usize>(image * job.outputHeight * job.outputWidth) * pixel;
  const places = job.work + ((scratch - SCRATCH) / SCRATCH_SIZE) * job.places;
  let done = 0;
  let seen = 0;
  for (let i = 0; i < job.outputHeight; i++) {
    seen = touchLines(job, input, seen, windowEnd(i, job.strideY, job.top, job.filterHeight, job.height), scratch);
    findMaxima(job, input, i, places + <usize>((i % job.lines) * job.outputWidth) * pixel);
    const end = i + 1 < job.outputHeight ? min(job.height, windowStart(i + 1, job.strideY, job.top)) : job.height;
    for (; done < end; done++) takeGradients(job, places, dy, done, dx);
  }
}

/** Writes for each window of line i and each channel the position of the maximum, counted from 1, or 0 where there is none. */
function findMaxima(job: MaxPoolGradientJob, input: usize, i: i32, places: usize): void {
  const pixel = floats(job.channels);
  const whole = floats(job.channels & ~3);
  const least = v128.load32_splat(LEAST);
  const y0 = windowStart(i, job.strideY, job.top);
  const y1 = windowEnd(i, job.strideY, job.top, job.filterHeight, job.height);
  for (let j = 0; j < job.outputWidth; j++, places += pixel) {
    const x0 = windowStart(j, job.strideX, job.left);
    const x1 = windowEnd(j, job.strideX, job.left, job.filterWidth, job.width);
    let c: usize = 0;
    for (; c + 32 <= whole; c += 32) {
      let best0 = least;
      let best1 = least;
      let where0 = i32x4.splat(0);
      let where1 = where0;
      for (let y = y0; y < y1; y++) {
        let position = y * job.width + x0;
        let from = input + <usize>position * pixel + c;
        for (let x = x0; x < x1; x++, from += pixel) {
          const value0 = v128.load(from);
          const value1 = v128.load(from, 16);
          const here = i32x4.splat(++position);
          // Positions grow: the largest of those that were greater is the last of them.
          where0 = i32x4.max_s(where0, v128.and(here, f32x4.gt(value0, best0)));
          where1 = i32x4.max_s(where1, v128.and(here, f32x4.gt(value1, best1)));
          best0 = f32x4.pmax(best0, value0);
          best1 = f32x4.pmax(best1, value1);
        }
      }
      v128.store(places + c, where1, 16);
      v128.store(places + c, where0);
    }
    for (; c < pixel; c += 4) {
      let best: f32 = -Infinity;
      let where = 0;
      for (let y = y0; y < y1; y++) {
        for (let x = x0; x < x1; x++) {
          const value = load<f32>(input + <usize>(y * job.width + x) * pixel + c);
          if (value > best) {
            best = value;
            where = y * job.width + x + 1;
          }
        }
      }
      store<i32>(places + c, where);
    }
  }
}

/** Sums for each position of line y what it gets from the windows that reach it. */
function takeGradients(job: MaxPoolGradientJob, places: usize, dy: usize, y: i32, dx: usize): void {
  const pixel = floats(job.channels);
  const i0 = firstWindow(y, job.strideY, job.top, job.filterHeight);
  const i1 = endWindow(y, job.strideY, job.top, job.outputHeight);
  let position = y * job.width;
  let to = dx + <usize>position * pixel;
  for (let x = 0; x < job.width; x++, position++, to += pixel) {
    const j0 = firstWindow(x, job.strideX, job.left, job.filterWidth);
    const j1 = endWindow(x, job.strideX, job.left, job.outputWidth);
    let first = true;
    for (let i = i0; i < i1; i++) {
      let from = dy + <usize>(i * job.outputWidth + j0) * pixel;
      let at = places + <usize>((i % job.lines) * job.outputWidth + j0) * pixel;
      for (let j = j0; j < j1; j++, from += pixel, at += pixel, first = false) {
        if (first) addWhere(true, at, position + 1, from, pixel, to);
        else addWhere(false, at, position + 1, from, pixel, to);
      }
    }
    if (first) memory.fill(to, 0, pixel);
  }
}

/** to[c] += from[c] where places[c] is `place`; `first`: to what is not yet there. */
// @ts-expect-error: a decorator of the compiler
@inline
function addWhere(first: bool, places: usize, place: i32, from: usize, bytes: usize, to: usize): void {
  const here = i32x4.splat(place);
  const zero = f32x4.splat(0);
  let c: usize = 0;
  for (; c + 32 <= bytes; c += 32) {
    const g0 = v128.and(v128.load(from + c), i32x4.eq(v128.load(places + c), here));
    const g1 = v128.and(v128.load(from + c, 16), i32x4.eq(v128.load(places + c, 16), here));
    const s0 = f32x4.add(first ? zero : v128.load(to + c), g0);
    const s1 = f32x4.add(first ? zero : v128.load(to + c, 16), g1);
    v128.store(to + c, s1, 16);
    v128.store(to + c, s0);
  }
  for (; c < bytes; c += 4) {
    const g: f32 = load<i32>(places + c) === place ? load<f32>(from + c) : 0;
    store<f32>(to + c, (first ? <f32>0 : load<f32>(to + c)) + g);
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
