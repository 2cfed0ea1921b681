// Batch normalisation in training, with the sum of a residual and the rectifier that follow it, and its gradient.
//
// Sums run over blocks of rows, whose results are put together in float64. Squares are summed about each block's own mean, so that
// data far from zero keep their digits.
import { madd } from './generated/micro';
import { floats } from './words';

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
export function batchNormStatisticsTask(address: usize, index: i32): void {
  const job = changetype<StatisticsJob>(address);
  const step = floats(job.channels);
  const whole = floats(job.channels & ~3);
  const first = index * job.block;
  const rows = min(job.block, job.rows - first);
  const x = job.x + <usize>first * step;
  const centre = job.parts + <usize>(index * 3) * step;
  const share: f32 = <f32>1 / <f32>rows;
  const shares = f32x4.splat(share);
  const end = <usize>rows * step;
  let c: usize = 0;
  for (; c + 32 <= whole; c += 32) {
    let s0 = f32x4.splat(0);
    let s1 = s0;
    for (let o = c; o < end; o += step) {
      s0 = f32x4.add(s0, v128.load(x + o));
      s1 = f32x4.add(s1, v128.load(x + o, 16));
    }
    const m0 = f32x4.mul(s0, shares);
    const m1 = f32x4.mul(s1, shares);
    s0 = f32x4.splat(0);
    s1 = s0;
    let q0 = s0;
    let q1 = s0;
    for (let o = c; o < end; o += step) {
      const v0 = f32x4.sub(v128.load(x + o), m0);
      const v1 = f32x4.sub(v128.load(x + o, 16), m1);
      s0 = f32x4.add(s0, v0);
      s1 = f32x4.add(s1, v1);
      q0 = madd(v0, v0, q0);
      q1 = madd(v1, v1, q1);
    }
    const to = centre + c;
    v128.store(to, m0);
    v128.store(to, m1, 16);
    v128.store(to + step, s0);
    v128.store(to + step, s1, 16);
    v128.store(to + 2 * step, q0);
    v128.store(to + 2 * step, q1, 16);
  }
  for (; c < whole; c += 16) {
    let s = f32x4.splat(0);
    for (let o = c; o < end; o += step) s = f32x4.add(s, v128.load(x + o));
    const m = f32x4.mul(s, shares);
    s = f32x4.splat(0);
    let q = s;
    for (let o = c; o < end; o += step) {
      const v = f32x4.sub(v128.load(x + o), m);
      s = f32x4.add(s, v);
      q = madd(v, v, q);
    }
    v128.store(centre + c, m);
    v128.store(centre + step + c, s);
    v128.store(centre + 2 * step + c, q);
  }
  for (; c < step; c += 4) {
    let s: f32 = 0;
    for (let o = c; o < end; o += step) s += load<f32>(x + o);
    const m = s * share;
    s = 0;
    let q: f32 = 0;
    for (let o = c; o < end; o += step) {
      const v = load<f32>(x + o) - m;
      s += v;
      q += v * v;
    }
    store<f32>(centre + c, m);
    store<f32>(centre + step + c, s);
    store<f32>(centre + 2 * step + c, q);
  }
}

/** Puts the blocks' sums together: mean and biased variance, [channels] each. */
export function finishBatchNorm(parts: usize, rows: i32, block: i32, channels: i32, mean: usize, variance: usize): void {
  const step = floats(channels);
  const blocks = (rows + block - 1) / block;
  for (let c: usize = 0; c < step; c += 4) {
    let total: f64 = 0;
    for (let b = 0; b < blocks; b++) {
      const at = parts + <usize>(b * 3) * step + c;
      total += <f64>load<f32>(at) * <f64>min(block, rows - b * block) + <f64>load<f32>(at + step);
    }
    const m = total / <f64>rows;
    let squares: f64 = 0;
    for (let b = 0; b < blocks; b++) {
      const at = parts + <usize>(b * 3) * step + c;
      const n = <f64>min(block, rows - b * block);
      const shift = <f64>load<f32>(at) - m;
      // sum (x - m)^2 = q + 2 shift s + n shift^2
      squares += <f64>load<f32>(at + 2 * step) + shift * (2 * <f64>load<f32>(at + step) + n * shift);
    }
    store<f32>(mean + c, <f32>m);
    store<f32>(variance + c, <f32>max<f64>(0, squares / <f64>rows));
  }
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
  const floor = f32x4.splat(job.relu ? 0 : -Infinity);
  const one = f32x4.splat(1);
  let c: usize = 0;
  for (; c < whole; c += 16) {
    const deviation = f32x4.sqrt(f32x4.add(v128.load(job.variance + c), f32x4.splat(job.epsilon)));
    const scale = f32x4.div(job.gamma ? v128.load(job.gamma + c) : one, deviation);
    const shift = job.beta ? v128.load(job.beta + c) : f32x4.splat(0);
    const mean = v128.load(job.mean + c);
    if (residual) {
      for (let o = from + c; o < end; o += step) {
        const v = madd(f32x4.sub(v128.load(x + o), mean), scale, shift);
        v128.store(output + o, f32x4.max(f32x4.add(v, v128.load(residual + o)), floor));
      }
    } else {
      for (let o = from + c; o < end; o += step) {
        v128.store(output + o, f32x4.max(madd(f32x4.sub(v128.load(x + o), mean), scale, shift), floor));
      }
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
export function batchNormGradientSumsTask(address: usize, index: i32): void {
  const job = changetype<GradientSumsJob>(address);
  const step = floats(job.channels);
  const whole = floats(job.channels & ~3);
  const first = index * job.block;
  const from = <usize>first * step;
  const end = from + <usize>min(job.block, job.rows - first) * step;
  const to = job.parts + <usize>(index * 2) * step;
  const x = job.x;
  const dy = job.dy;
  const y = job.output;
  const zero = f32x4.splat(0);
  let c: usize = 0;
  for (; c + 32 <= whole; c += 32) {
    const m0 = v128.load(job.mean + c);
    const m1 = v128.load(job.mean + c, 16);
    let s0 = zero;
    let s1 = zero;
    let q0 = zero;
    let q1 = zero;
    for (let o = from + c; o < end; o += step) {
      let g0 = v128.load(dy + o);
      let g1 = v128.load(dy + o, 16);
      if (y) {
        g0 = v128.and(g0, f32x4.gt(v128.load(y + o), zero));
        g1 = v128.and(g1, f32x4.gt(v128.load(y + o, 16), zero));
      }
      s0 = f32x4.add(s0, g0);
      s1 = f32x4.add(s1, g1);
      q0 = madd(g0, f32x4.sub(v128.load(x + o), m0), q0);
      q1 = madd(g1, f32x4.sub(v128.load(x + o, 16), m1), q1);
    }
    v128.store(to + c, s0);
    v128.store(to + c, s1, 16);
    v128.store(to + step + c, q0);
    v128.store(to + step + c, q1, 16);
  }
  for (; c < whole; c += 16) {
    const m = v128.load(job.mean + c);
    let s = zero;
    let q = zero;
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
    let s: f32 = 0;
    let q: f32 = 0;
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
  for (let c: usize = 0; c < step; c += 4) {
    let s: f64 = 0;
    let q: f64 = 0;
    for (let b = 0; b < blocks; b++) {
      const at = parts + <usize>(b * 2) * step + c;
      s += <f64>load<f32>(at);
      q += <f64>load<f32>(at + step);
    }
    store<f32>(dbeta + c, <f32>s);
    store<f32>(dgamma + c, <f32>(q / sqrt<f64>(<f64>load<f32>(variance + c) + <f64>epsilon)));
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
  const shares = f32x4.splat(share);
  const zero = f32x4.splat(0);
  let c: usize = 0;
  for (; c < whole; c += 16) {
    const deviation = f32x4.sqrt(f32x4.add(v128.load(job.variance + c), f32x4.splat(job.epsilon)));
    const scale = f32x4.div(v128.load(job.gamma + c), deviation);
    const mean = v128.load(job.mean + c);
    // dx = scale g + slope (x - mean) + offset
    const slope = f32x4.neg(f32x4.div(f32x4.mul(scale, f32x4.mul(v128.load(job.dgamma + c), shares)), deviation));
    const offset = f32x4.neg(f32x4.mul(scale, f32x4.mul(v128.load(job.dbeta + c), shares)));
    for (let o = from + c; o < end; o += step) {
      let g = v128.load(dy + o);
      if (y) g = v128.and(g, f32x4.gt(v128.load(y + o), zero));
      if (dresidual) v128.store(dresidual + o, g);
      v128.store(dx + o, madd(g, scale, madd(f32x4.sub(v128.load(x + o), mean), slope, offset)));
    }
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
