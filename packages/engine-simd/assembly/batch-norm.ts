// Batch normalisation in training, with the sum of a residual and the rectifier that follow it, and its gradient.
//
// Sums run over blocks of rows, whose results are put together in float64. Squares are summed about each block's own mean, so that
// data far from zero keep their digits.
import { madd } from './generated/micro';
import { touch } from './touch';
import { floats } from './words';

// Numbers that V8 has as a vector in one instruction from memory, and else in several wherever they are used.
const LEAST: usize = memory.data<f32>([-Infinity]);
/** Of two vectors of channels, where there are no scales or shifts. */
const ONES: usize = memory.data<f32>([1, 1, 1, 1, 1, 1, 1, 1]);
const ZEROS: usize = memory.data<f32>([0, 0, 0, 0, 0, 0, 0, 0]);

/** Bytes of rows that are read ahead and then summed, all channels of them before the next: they stay in the first cache. */
const STRETCH: usize = 0x4000;

@unmanaged
class StatisticsJob {
  task: i32;
  x: usize;
  /** For each block: a centre, sum(x - centre), sum((x - centre)^2); each [channels]. */
  parts: usize;
  rows: i32;
  channels: i32;
  block: i32;
}

/** Sums of one block of rows. */
export function batchNormStatisticsTask(address: usize, index: i32, scratch: usize): void {
  const job = changetype<StatisticsJob>(address);
  const step = floats(job.channels);
  const first = index * job.block;
  const rows = min(job.block, job.rows - first);
  const x = job.x + <usize>first * step;
  const centre = job.parts + <usize>(index * 3) * step;
  const end = <usize>rows * step;
  const stretch = stretchOf(step);
  memory.fill(centre, 0, 3 * step);
  for (let from: usize = 0; from < end; from += stretch) {
    const to = min(end, from + stretch);
    touch(x + from, to - from, scratch);
    addRows(x, from, to, step, centre);
  }
  const share: f32 = <f32>1 / <f32>rows;
  for (let c: usize = 0; c < step; c += 4) store<f32>(centre + c, load<f32>(centre + c) * share);
  for (let from: usize = 0; from < end; from += stretch) addDeviations(x, from, min(end, from + stretch), step, centre);
}

/** The rows that a stretch has, in bytes. */
// @ts-expect-error: a decorator of the compiler
@inline
function stretchOf(step: usize): usize {
  return max<usize>(1, STRETCH / step) * step;
}

/** sums[c] += x[row, c] over the rows between two offsets. */
function addRows(x: usize, from: usize, end: usize, step: usize, sums: usize): void {
  const whole = step & ~15;
  let c: usize = 0;
  for (; c + 32 <= whole; c += 32) {
    let s0 = v128.load(sums + c);
    let s1 = v128.load(sums + c, 16);
    for (let o = from + c; o < end; o += step) {
      s0 = f32x4.add(s0, v128.load(x + o));
      s1 = f32x4.add(s1, v128.load(x + o, 16));
    }
    v128.store(sums + c, s1, 16);
    v128.store(sums + c, s0);
  }
  for (; c < whole; c += 16) {
    let s = v128.load(sums + c);
    for (let o = from + c; o < end; o += step) s = f32x4.add(s, v128.load(x + o));
    v128.store(sums + c, s);
  }
  for (; c < step; c += 4) {
    let s = load<f32>(sums + c);
    for (let o = from + c; o < end; o += step) s += load<f32>(x + o);
    store<f32>(sums + c, s);
  }
}

/** Adds x - centre and its square over the rows between two offsets to what follows the centre. */
function addDeviations(x: usize, from: usize, end: usize, step: usize, centre: usize): void {
  const whole = step & ~15;
  let c: usize = 0;
  for (; c + 32 <= whole; c += 32) {
    const to = centre + c;
    const m0 = v128.load(to);
    const m1 = v128.load(to, 16);
    let s0 = v128.load(to + step);
    let s1 = v128.load(to + step, 16);
    let q0 = v128.load(to + 2 * step);
    let q1 = v128.load(to + 2 * step, 16);
    for (let o = from + c; o < end; o += step) {
      const v0 = f32x4.sub(v128.load(x + o), m0);
      const v1 = f32x4.sub(v128.load(x + o, 16), m1);
      s0 = f32x4.add(s0, v0);
      s1 = f32x4.add(s1, v1);
      q0 = madd(v0, v0, q0);
      q1 = madd(v1, v1, q1);
    }
    v128.store(to + step, s1, 16);
    v128.store(to + step, s0);
    v128.store(to + 2 * step, q1, 16);
    v128.store(to + 2 * step, q0);
  }
  for (; c < whole; c += 16) {
    const to = centre + c;
    const m = v128.load(to);
    let s = v128.load(to + step);
    let q = v128.load(to + 2 * step);
    for (let o = from + c; o < end; o += step) {
      const v = f32x4.sub(v128.load(x + o), m);
      s = f32x4.add(s, v);
      q = madd(v, v, q);
    }
    v128.store(to + step, s);
    v128.store(to + 2 * step, q);
  }
  for (; c < step; c += 4) {
    const to = centre + c;
    const m = load<f32>(to);
    let s = load<f32>(to + step);
    let q = load<f32>(to + 2 * step);
    for (let o = from + c; o < end; o += step) {
      const v = load<f32>(x + o) - m;
      s += v;
      q += v * v;
    }
    store<f32>(to + step, s);
    store<f32>(to + 2 * step, q);
  }
}

/** Puts the blocks' sums together: mean and biased variance, [channels] each. */
export function finishBatchNorm(parts: usize, rows: i32, block: i32, channels: i32, mean: usize, variance: usize): void {
  const step = floats(channels);
  const end = parts + step;
  // One channel more than there is where their number is odd: blocks and tensors have room behind them.
  for (let at = parts; at < end; at += 8, mean += 8, variance += 8) {
    let total = f64x2.splat(0);
    for (let first = 0, from = at; first < rows; first += block, from += 3 * step) {
      const n = f64x2.splat(<f64>min(block, rows - first));
      total = f64x2.add(total, f64x2.add(f64x2.mul(two(from), n), two(from + step)));
    }
    const count = f64x2.splat(<f64>rows);
    const m = f64x2.div(total, count);
    let squares = f64x2.splat(0);
    for (let first = 0, from = at; first < rows; first += block, from += 3 * step) {
      const n = f64x2.splat(<f64>min(block, rows - first));
      const s = two(from + step);
      const shift = f64x2.sub(two(from), m);
      // sum (x - m)^2 = q + 2 shift s + n shift^2
      const moved = f64x2.mul(shift, f64x2.add(f64x2.add(s, s), f64x2.mul(n, shift)));
      squares = f64x2.add(squares, f64x2.add(two(from + 2 * step), moved));
    }
    const last = at + 4 === end;
    storeTwo(mean, m, last);
    storeTwo(variance, f64x2.max(f64x2.splat(0), f64x2.div(squares, count)), last);
  }
}

/** Two float32 as float64. */
// @ts-expect-error: a decorator of the compiler
@inline
function two(from: usize): v128 {
  return f64x2.promote_low_f32x4(v128.load64_zero(from));
}

/** Two float64 as float32; `one`: only the first. */
// @ts-expect-error: a decorator of the compiler
@inline
function storeTwo(to: usize, values: v128, one: bool): void {
  const rounded = f32x4.demote_f64x2_zero(values);
  if (one) v128.store32_lane(to, rounded, 0);
  else v128.store64_lane(to, rounded, 0);
}

@unmanaged
class ApplyJob {
  task: i32;
  x: usize;
  output: usize;
  rows: i32;
  channels: i32;
  block: i32;
  mean: usize;
  variance: usize;
  /** 0 stands for ones. */
  gamma: usize;
  /** 0 stands for zeros. */
  beta: usize;
  /** 0: none. */
  residual: usize;
  relu: i32;
  epsilon: f32;
}

/** output = relu(gamma (x - mean) / sqrt(variance + epsilon) + beta + residual) for one block of rows. */
export function batchNormApplyTask(address: usize, index: i32): void {
  const job = changetype<ApplyJob>(address);
  const step = floats(job.channels);
  const whole = floats(job.channels & ~3);
  const first = index * job.block;
  const from = <usize>first * step;
  const end = from + <usize>min(job.block, job.rows - first) * step;
  const x = job.x;
  const output = job.output;
  const residual = job.residual;
  const floor = v128.load32_splat(job.relu ? ZEROS : LEAST);
  const epsilon = f32x4.splat(job.epsilon);
  let c: usize = 0;
  for (; c + 32 <= whole; c += 32) {
    const deviation0 = f32x4.sqrt(f32x4.add(v128.load(job.variance + c), epsilon));
    const deviation1 = f32x4.sqrt(f32x4.add(v128.load(job.variance + c, 16), epsilon));
    const gamma = job.gamma ? job.gamma + c : ONES;
    const beta = job.beta ? job.beta + c : ZEROS;
    const scale0 = f32x4.div(v128.load(gamma), deviation0);
    const scale1 = f32x4.div(v128.load(gamma, 16), deviation1);
    const shift0 = v128.load(beta);
    const shift1 = v128.load(beta, 16);
    const mean0 = v128.load(job.mean + c);
    const mean1 = v128.load(job.mean + c, 16);
    if (residual) {
      for (let o = from + c; o < end; o += step) {
        const v0 = f32x4.add(madd(f32x4.sub(v128.load(x + o), mean0), scale0, shift0), v128.load(residual + o));
        const v1 = f32x4.add(madd(f32x4.sub(v128.load(x + o, 16), mean1), scale1, shift1), v128.load(residual + o, 16));
        v128.store(output + o, f32x4.max(v1, floor), 16);
        v128.store(output + o, f32x4.max(v0, floor));
      }
    } else {
      for (let o = from + c; o < end; o += step) {
        const v0 = madd(f32x4.sub(v128.load(x + o), mean0), scale0, shift0);
        const v1 = madd(f32x4.sub(v128.load(x + o, 16), mean1), scale1, shift1);
        v128.store(output + o, f32x4.max(v1, floor), 16);
        v128.store(output + o, f32x4.max(v0, floor));
      }
    }
  }
  for (; c < whole; c += 16) {
    const deviation = f32x4.sqrt(f32x4.add(v128.load(job.variance + c), epsilon));
    const scale = f32x4.div(v128.load(job.gamma ? job.gamma + c : ONES), deviation);
    const shift = v128.load(job.beta ? job.beta + c : ZEROS);
    const mean = v128.load(job.mean + c);
    for (let o = from + c; o < end; o += step) {
      let v = madd(f32x4.sub(v128.load(x + o), mean), scale, shift);
      if (residual) v = f32x4.add(v, v128.load(residual + o));
      v128.store(output + o, f32x4.max(v, floor));
    }
  }
  for (; c < step; c += 4) {
    const deviation = sqrt<f32>(load<f32>(job.variance + c) + job.epsilon);
    const scale = (job.gamma ? load<f32>(job.gamma + c) : <f32>1) / deviation;
    const shift = job.beta ? load<f32>(job.beta + c) : <f32>0;
    const mean = load<f32>(job.mean + c);
    for (let o = from + c; o < end; o += step) {
      let v = (load<f32>(x + o) - mean) * scale + shift;
      if (residual) v += load<f32>(residual + o);
      store<f32>(output + o, job.relu ? max<f32>(v, 0) : v);
    }
  }
}

@unmanaged
class GradientSumsJob {
  task: i32;
  x: usize;
  /** For each block: sum(g), sum(g (x - mean)); each [channels]. g is dy where the output was positive, or all of it without relu. */
  parts: usize;
  rows: i32;
  channels: i32;
  block: i32;
  mean: usize;
  /** 0: no relu. */
  output: usize;
  dy: usize;
}

/** Sums of one block of rows. */
export function batchNormGradientSumsTask(address: usize, index: i32, scratch: usize): void {
  const job = changetype<GradientSumsJob>(address);
  const step = floats(job.channels);
  const first = index * job.block;
  const begin = <usize>first * step;
  const end = begin + <usize>min(job.block, job.rows - first) * step;
  const to = job.parts + <usize>(index * 2) * step;
  memory.fill(to, 0, 2 * step);
  const stretch = stretchOf(step);
  for (let from = begin; from < end; from += stretch) {
    const bytes = min(stretch, end - from);
    touch(job.x + from, bytes, scratch);
    touch(job.dy + from, bytes, scratch);
    if (job.output) touch(job.output + from, bytes, scratch);
    addGradients(job, from, from + bytes, step, to);
  }
}

/** Adds the sums of the rows between two offsets. */
function addGradients(job: GradientSumsJob, from: usize, end: usize, step: usize, to: usize): void {
  const whole = step & ~15;
  const x = job.x;
  const dy = job.dy;
  const y = job.output;
  const zero = v128.load32_splat(ZEROS);
  let c: usize = 0;
  for (; c + 32 <= whole; c += 32) {
    const m0 = v128.load(job.mean + c);
    const m1 = v128.load(job.mean + c, 16);
    let s0 = v128.load(to + c);
    let s1 = v128.load(to + c, 16);
    let q0 = v128.load(to + step + c);
    let q1 = v128.load(to + step + c, 16);
    if (y) {
      for (let o = from + c; o < end; o += step) {
        const g0 = v128.and(v128.load(dy + o), f32x4.gt(v128.load(y + o), zero));
        const g1 = v128.and(v128.load(dy + o, 16), f32x4.gt(v128.load(y + o, 16), zero));
        s0 = f32x4.add(s0, g0);
        s1 = f32x4.add(s1, g1);
        q0 = madd(g0, f32x4.sub(v128.load(x + o), m0), q0);
        q1 = madd(g1, f32x4.sub(v128.load(x + o, 16), m1), q1);
      }
    } else {
      for (let o = from + c; o < end; o += step) {
        const g0 = v128.load(dy + o);
        const g1 = v128.load(dy + o, 16);
        s0 = f32x4.add(s0, g0);
        s1 = f32x4.add(s1, g1);
        q0 = madd(g0, f32x4.sub(v128.load(x + o), m0), q0);
        q1 = madd(g1, f32x4.sub(v128.load(x + o, 16), m1), q1);
      }
    }
    v128.store(to + c, s1, 16);
    v128.store(to + c, s0);
    v128.store(to + step + c, q1, 16);
    v128.store(to + step + c, q0);
  }
  for (; c < whole; c += 16) {
    const m = v128.load(job.mean + c);
    let s = v128.load(to + c);
    let q = v128.load(to + step + c);
    for (let o = from + c; o < end; o += step) {
      let g = v128.load(dy + o);
      if (y) g = v128.and(g, f32x4.gt(v128.load(y + o), zero));
      s = f32x4.add(s, g);
      q = madd(g, f32x4.sub(v128.load(x + o), m), q);
    }
    v128.store(to + c, s);
    v128.store(to + step + c, q);
  }
  for (; c < step; c += 4) {
    const m = load<f32>(job.mean + c);
    let s = load<f32>(to + c);
    let q = load<f32>(to + step + c);
    for (let o = from + c; o < end; o += step) {
      const g: f32 = y && !(load<f32>(y + o) > 0) ? 0 : load<f32>(dy + o);
      s += g;
      q += g * (load<f32>(x + o) - m);
    }
    store<f32>(to + c, s);
    store<f32>(to + step + c, q);
  }
}

/** Puts the blocks' sums together: dgamma = sum(g (x - mean)) / deviation and dbeta = sum(g), [channels] each. */
export function finishBatchNormGradient(
  parts: usize,
  blocks: i32,
  channels: i32,
  variance: usize,
  epsilon: f32,
  dgamma: usize,
  dbeta: usize,
): void {
  const step = floats(channels);
  const end = parts + step;
  for (let at = parts; at < end; at += 8, variance += 8, dgamma += 8, dbeta += 8) {
    let s = f64x2.splat(0);
    let q = s;
    for (let b = 0, from = at; b < blocks; b++, from += 2 * step) {
      s = f64x2.add(s, two(from));
      q = f64x2.add(q, two(from + step));
    }
    const deviation = f64x2.sqrt(f64x2.add(two(variance), f64x2.splat(<f64>epsilon)));
    const last = at + 4 === end;
    storeTwo(dbeta, s, last);
    storeTwo(dgamma, f64x2.div(q, deviation), last);
  }
}

@unmanaged
class GradientApplyJob {
  task: i32;
  x: usize;
  dx: usize;
  rows: i32;
  channels: i32;
  block: i32;
  mean: usize;
  variance: usize;
  gamma: usize;
  dgamma: usize;
  dbeta: usize;
  /** 0: no relu. */
  output: usize;
  dy: usize;
  /** 0: not wanted. */
  dresidual: usize;
  epsilon: f32;
}

/** The block's rows of one vector of channels, or of two side by side, compiled for each case. */
// @ts-expect-error: a decorator of the compiler
@inline
function gradientRows(
  job: GradientApplyJob,
  both: bool,
  masked: bool,
  residual: bool,
  begin: usize,
  end: usize,
  step: usize,
  c: usize,
  share: f32,
): void {
  const x = job.x;
  const dx = job.dx;
  const dy = job.dy;
  const y = job.output;
  const dresidual = job.dresidual;
  const zero = v128.load32_splat(ZEROS);
  const shares = f32x4.splat(share);
  const epsilon = f32x4.splat(job.epsilon);
  // dx = scale g + slope (x - mean) + offset
  const deviation0 = f32x4.sqrt(f32x4.add(v128.load(job.variance + c), epsilon));
  const deviation1 = f32x4.sqrt(f32x4.add(v128.load(job.variance + c, 16), epsilon));
  const scale0 = f32x4.div(v128.load(job.gamma + c), deviation0);
  const scale1 = f32x4.div(v128.load(job.gamma + c, 16), deviation1);
  const mean0 = v128.load(job.mean + c);
  const mean1 = v128.load(job.mean + c, 16);
  const slope0 = f32x4.neg(f32x4.div(f32x4.mul(scale0, f32x4.mul(v128.load(job.dgamma + c), shares)), deviation0));
  const slope1 = f32x4.neg(f32x4.div(f32x4.mul(scale1, f32x4.mul(v128.load(job.dgamma + c, 16), shares)), deviation1));
  const offset0 = f32x4.neg(f32x4.mul(scale0, f32x4.mul(v128.load(job.dbeta + c), shares)));
  const offset1 = f32x4.neg(f32x4.mul(scale1, f32x4.mul(v128.load(job.dbeta + c, 16), shares)));
  for (let o = begin; o < end; o += step) {
    let g0 = v128.load(dy + o);
    let g1 = zero;
    if (both) g1 = v128.load(dy + o, 16);
    if (masked) {
      g0 = v128.and(g0, f32x4.gt(v128.load(y + o), zero));
      if (both) g1 = v128.and(g1, f32x4.gt(v128.load(y + o, 16), zero));
    }
    const d0 = madd(g0, scale0, madd(f32x4.sub(v128.load(x + o), mean0), slope0, offset0));
    if (both) {
      const d1 = madd(g1, scale1, madd(f32x4.sub(v128.load(x + o, 16), mean1), slope1, offset1));
      if (residual) v128.store(dresidual + o, g1, 16);
      if (residual) v128.store(dresidual + o, g0);
      v128.store(dx + o, d1, 16);
      v128.store(dx + o, d0);
    } else {
      if (residual) v128.store(dresidual + o, g0);
      v128.store(dx + o, d0);
    }
  }
}

/** dx = gamma / deviation (g - dbeta / rows - (x - mean) / deviation dgamma / rows) for one block of rows; dresidual = g. */
export function batchNormGradientApplyTask(address: usize, index: i32): void {
  const job = changetype<GradientApplyJob>(address);
  const step = floats(job.channels);
  const whole = floats(job.channels & ~3);
  const first = index * job.block;
  const from = <usize>first * step;
  const end = from + <usize>min(job.block, job.rows - first) * step;
  const x = job.x;
  const dx = job.dx;
  const dy = job.dy;
  const y = job.output;
  const dresidual = job.dresidual;
  const share: f32 = <f32>1 / <f32>job.rows;
  let c: usize = 0;
  for (; c + 32 <= whole; c += 32) {
    if (y && dresidual) gradientRows(job, true, true, true, from + c, end, step, c, share);
    else if (y) gradientRows(job, true, true, false, from + c, end, step, c, share);
    else if (dresidual) gradientRows(job, true, false, true, from + c, end, step, c, share);
    else gradientRows(job, true, false, false, from + c, end, step, c, share);
  }
  for (; c < whole; c += 16) {
    if (y && dresidual) gradientRows(job, false, true, true, from + c, end, step, c, share);
    else if (y) gradientRows(job, false, true, false, from + c, end, step, c, share);
    else if (dresidual) gradientRows(job, false, false, true, from + c, end, step, c, share);
    else gradientRows(job, false, false, false, from + c, end, step, c, share);
  }
  for (; c < step; c += 4) {
    const deviation = sqrt<f32>(load<f32>(job.variance + c) + job.epsilon);
    const scale = load<f32>(job.gamma + c) / deviation;
    const mean = load<f32>(job.mean + c);
    const slope = (-scale * load<f32>(job.dgamma + c) * share) / deviation;
    const offset = -scale * load<f32>(job.dbeta + c) * share;
    for (let o = from + c; o < end; o += step) {
      const g: f32 = y && !(load<f32>(y + o) > 0) ? 0 : load<f32>(dy + o);
      if (dresidual) store<f32>(dresidual + o, g);
      store<f32>(dx + o, g * scale + (load<f32>(x + o) - mean) * slope + offset);
    }
  }
}
