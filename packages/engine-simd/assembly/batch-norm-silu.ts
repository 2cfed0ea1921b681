// Batch normalisation followed by SiLU, and the gradient through both. The sums over blocks of rows are those of `batch-norm.ts`.
//
// The gradient needs z = gamma (x - mean) / deviation + beta once more, and sigmoid(z) with it. The pass that sums computes them and leaves
// g = dy silu'(z) where dx will be, so that the second pass is that of a batch norm without an activation.
import { madd } from './generated/micro';
import { floats } from './words';

/** Rows of a block are gone through in stretches of so many bytes, which stay in the first cache. */
const STRETCH: usize = 8192;

// Numbers that V8 has as a vector in one instruction from memory, and else in several wherever they are used.
const ONE: usize = memory.data<f32>([1]);
const LIMIT: usize = memory.data<f32>([87]);
const LEAST: usize = memory.data<f32>([-87]);
const LOG2E: usize = memory.data<f32>([1.44269504088896341]);
/** 1.5 * 2^23: what is added to it is rounded to an integer, which then stands in the lowest bits. */
const ROUND: usize = memory.data<f32>([12582912]);
const LN2_HIGH: usize = memory.data<f32>([-0.693359375]);
const LN2_LOW: usize = memory.data<f32>([2.12194440e-4]);
const P0: usize = memory.data<f32>([1.9875691500e-4]);
const P1: usize = memory.data<f32>([1.3981999507e-3]);
const P2: usize = memory.data<f32>([8.3334519073e-3]);
const P3: usize = memory.data<f32>([4.1665795894e-2]);
const P4: usize = memory.data<f32>([1.6666665459e-1]);
const P5: usize = memory.data<f32>([5.0000001201e-1]);

// @ts-expect-error: a decorator of the compiler
@inline
function constant(address: usize): v128 {
  return v128.load32_splat(address);
}

/** 1 / (1 + e^-z), within some 2 ulp; z is taken for 87 beyond that, where the result is 1 or below 1e-37. NaN stays. */
// @ts-expect-error: a decorator of the compiler
@inline
function sigmoid(z: v128): v128 {
  const x = f32x4.pmin(f32x4.pmax(f32x4.neg(z), constant(LEAST)), constant(LIMIT));
  const t = madd(x, constant(LOG2E), constant(ROUND));
  const n = f32x4.sub(t, constant(ROUND));
  const r = madd(n, constant(LN2_LOW), madd(n, constant(LN2_HIGH), x));
  let p = madd(constant(P0), r, constant(P1));
  p = madd(p, r, constant(P2));
  p = madd(p, r, constant(P3));
  p = madd(p, r, constant(P4));
  p = madd(p, r, constant(P5));
  const e = f32x4.add(madd(p, f32x4.mul(r, r), r), constant(ONE));
  // 2^n: n stands in the lowest bits of t, and 127 << 23 are the bits of 1
  const power = i32x4.add(i32x4.shl(t, 23), constant(ONE));
  return f32x4.div(constant(ONE), madd(e, power, constant(ONE)));
}

/** Stores the first bytes of a vector: never one more, as what follows may belong to another task. */
function storePart(to: usize, bytes: usize, v: v128): void {
  if (bytes >= 16) {
    v128.store(to, v);
    return;
  }
  v128.store32_lane(to, v, 0);
  if (bytes >= 8) v128.store32_lane(to, v, 1, 4);
  if (bytes >= 12) v128.store32_lane(to, v, 2, 8);
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
  gamma: usize;
  beta: usize;
  epsilon: f32;
}

/** gamma / sqrt(variance + epsilon) of four channels. */
// @ts-expect-error: a decorator of the compiler
@inline
function scaleOf(gamma: usize, variance: usize, epsilon: f32): v128 {
  return f32x4.div(v128.load(gamma), f32x4.sqrt(f32x4.add(v128.load(variance), f32x4.splat(epsilon))));
}

/** output = silu(gamma (x - mean) / sqrt(variance + epsilon) + beta) for one block of rows; sixteen channels, a line of the cache, at a time. */
export function batchNormSiluApplyTask(address: usize, index: i32): void {
  const job = changetype<ApplyJob>(address);
  const step = floats(job.channels);
  const from = <usize>(index * job.block) * step;
  const end = from + <usize>min(job.block, job.rows - index * job.block) * step;
  let c: usize = 0;
  for (; c + 64 <= step; c += 64) applyRows(job, 4, from + c, end, step, c);
  for (; c + 32 <= step; c += 32) applyRows(job, 2, from + c, end, step, c);
  for (; c < step; c += 16) applyRows(job, 1, from + c, end, step, c);
}

/** The rows of so many vectors of channels, compiled for each number; one vector may be the last of a row and not whole. */
// @ts-expect-error: a decorator of the compiler
@inline
function applyRows(job: ApplyJob, vectors: i32, begin: usize, end: usize, step: usize, c: usize): void {
  const x = job.x;
  const output = job.output;
  const epsilon = job.epsilon;
  const zero = f32x4.splat(0);
  const k0 = scaleOf(job.gamma + c, job.variance + c, epsilon);
  const k1 = vectors > 1 ? scaleOf(job.gamma + c + 16, job.variance + c + 16, epsilon) : zero;
  const k2 = vectors > 2 ? scaleOf(job.gamma + c + 32, job.variance + c + 32, epsilon) : zero;
  const k3 = vectors > 2 ? scaleOf(job.gamma + c + 48, job.variance + c + 48, epsilon) : zero;
  const b0 = v128.load(job.beta + c);
  const b1 = vectors > 1 ? v128.load(job.beta + c, 16) : zero;
  const b2 = vectors > 2 ? v128.load(job.beta + c, 32) : zero;
  const b3 = vectors > 2 ? v128.load(job.beta + c, 48) : zero;
  const m0 = v128.load(job.mean + c);
  const m1 = vectors > 1 ? v128.load(job.mean + c, 16) : zero;
  const m2 = vectors > 2 ? v128.load(job.mean + c, 32) : zero;
  const m3 = vectors > 2 ? v128.load(job.mean + c, 48) : zero;
  for (let o = begin; o < end; o += step) {
    // all loads before all stores, or V8 joins no pairs
    const x0 = v128.load(x + o);
    const x1 = vectors > 1 ? v128.load(x + o, 16) : zero;
    const x2 = vectors > 2 ? v128.load(x + o, 32) : zero;
    const x3 = vectors > 2 ? v128.load(x + o, 48) : zero;
    const z0 = madd(f32x4.sub(x0, m0), k0, b0);
    const z1 = madd(f32x4.sub(x1, m1), k1, b1);
    const z2 = madd(f32x4.sub(x2, m2), k2, b2);
    const z3 = madd(f32x4.sub(x3, m3), k3, b3);
    const y0 = f32x4.mul(z0, sigmoid(z0));
    if (vectors === 1) {
      storePart(output + o, step - c, y0);
      continue;
    }
    const y1 = f32x4.mul(z1, sigmoid(z1));
    if (vectors > 2) {
      const y2 = f32x4.mul(z2, sigmoid(z2));
      const y3 = f32x4.mul(z3, sigmoid(z3));
      v128.store(output + o, y3, 48);
      v128.store(output + o, y2, 32);
    }
    v128.store(output + o, y1, 16);
    v128.store(output + o, y0);
  }
}

@unmanaged
class GradientSumsJob {
  task: i32;
  x: usize;
  /** For each block: sum(g), sum(g (x - mean)); each [channels]. */
  parts: usize;
  rows: i32;
  channels: i32;
  block: i32;
  mean: usize;
  variance: usize;
  gamma: usize;
  beta: usize;
  dy: usize;
  /** Written: g = dy silu'(z). */
  g: usize;
  epsilon: f32;
}

/** silu'(z) = s (1 + z (1 - s)). */
// @ts-expect-error: a decorator of the compiler
@inline
function slope(z: v128): v128 {
  const s = sigmoid(z);
  return f32x4.mul(s, madd(z, f32x4.sub(constant(ONE), s), constant(ONE)));
}

/** g, and the sums of one block of rows. */
export function batchNormSiluGradientSumsTask(address: usize, index: i32): void {
  const job = changetype<GradientSumsJob>(address);
  const step = floats(job.channels);
  const begin = <usize>(index * job.block) * step;
  const end = begin + <usize>min(job.block, job.rows - index * job.block) * step;
  const to = job.parts + <usize>(index * 2) * step;
  memory.fill(to, 0, 2 * step);
  const stretch = max<usize>(1, STRETCH / step) * step;
  for (let from = begin; from < end; from += stretch) gradientStretch(job, from, min(end, from + stretch), step, to);
}

function gradientStretch(job: GradientSumsJob, from: usize, end: usize, step: usize, to: usize): void {
  let c: usize = 0;
  for (; c + 64 <= step; c += 64) gradientRows(job, 4, from + c, end, step, c, to + c);
  for (; c + 32 <= step; c += 32) gradientRows(job, 2, from + c, end, step, c, to + c);
  for (; c < step; c += 16) gradientRows(job, 1, from + c, end, step, c, to + c);
}

/** As `applyRows`; `sums` and what follows a row later are those of these channels. */
// @ts-expect-error: a decorator of the compiler
@inline
function gradientRows(
  job: GradientSumsJob,
  vectors: i32,
  begin: usize,
  end: usize,
  step: usize,
  c: usize,
  sums: usize,
): void {
  const x = job.x;
  const dy = job.dy;
  const g = job.g;
  const epsilon = job.epsilon;
  const zero = f32x4.splat(0);
  const k0 = scaleOf(job.gamma + c, job.variance + c, epsilon);
  const k1 = vectors > 1 ? scaleOf(job.gamma + c + 16, job.variance + c + 16, epsilon) : zero;
  const k2 = vectors > 2 ? scaleOf(job.gamma + c + 32, job.variance + c + 32, epsilon) : zero;
  const k3 = vectors > 2 ? scaleOf(job.gamma + c + 48, job.variance + c + 48, epsilon) : zero;
  const b0 = v128.load(job.beta + c);
  const b1 = vectors > 1 ? v128.load(job.beta + c, 16) : zero;
  const b2 = vectors > 2 ? v128.load(job.beta + c, 32) : zero;
  const b3 = vectors > 2 ? v128.load(job.beta + c, 48) : zero;
  const m0 = v128.load(job.mean + c);
  const m1 = vectors > 1 ? v128.load(job.mean + c, 16) : zero;
  const m2 = vectors > 2 ? v128.load(job.mean + c, 32) : zero;
  const m3 = vectors > 2 ? v128.load(job.mean + c, 48) : zero;
  const products = sums + step;
  let s0 = v128.load(sums);
  let s1 = vectors > 1 ? v128.load(sums, 16) : zero;
  let s2 = vectors > 2 ? v128.load(sums, 32) : zero;
  let s3 = vectors > 2 ? v128.load(sums, 48) : zero;
  let q0 = v128.load(products);
  let q1 = vectors > 1 ? v128.load(products, 16) : zero;
  let q2 = vectors > 2 ? v128.load(products, 32) : zero;
  let q3 = vectors > 2 ? v128.load(products, 48) : zero;
  for (let o = begin; o < end; o += step) {
    const x0 = v128.load(x + o);
    const x1 = vectors > 1 ? v128.load(x + o, 16) : zero;
    const x2 = vectors > 2 ? v128.load(x + o, 32) : zero;
    const x3 = vectors > 2 ? v128.load(x + o, 48) : zero;
    const d0 = v128.load(dy + o);
    const d1 = vectors > 1 ? v128.load(dy + o, 16) : zero;
    const d2 = vectors > 2 ? v128.load(dy + o, 32) : zero;
    const d3 = vectors > 2 ? v128.load(dy + o, 48) : zero;
    const v0 = f32x4.sub(x0, m0);
    const v1 = f32x4.sub(x1, m1);
    const v2 = f32x4.sub(x2, m2);
    const v3 = f32x4.sub(x3, m3);
    const g0 = f32x4.mul(d0, slope(madd(v0, k0, b0)));
    s0 = f32x4.add(s0, g0);
    q0 = madd(g0, v0, q0);
    if (vectors === 1) {
      storePart(g + o, step - c, g0);
      continue;
    }
    const g1 = f32x4.mul(d1, slope(madd(v1, k1, b1)));
    s1 = f32x4.add(s1, g1);
    q1 = madd(g1, v1, q1);
    if (vectors > 2) {
      const g2 = f32x4.mul(d2, slope(madd(v2, k2, b2)));
      const g3 = f32x4.mul(d3, slope(madd(v3, k3, b3)));
      s2 = f32x4.add(s2, g2);
      s3 = f32x4.add(s3, g3);
      q2 = madd(g2, v2, q2);
      q3 = madd(g3, v3, q3);
      v128.store(g + o, g3, 48);
      v128.store(g + o, g2, 32);
    }
    v128.store(g + o, g1, 16);
    v128.store(g + o, g0);
  }
  if (vectors === 1) {
    storePart(sums, step - c, s0);
    storePart(products, step - c, q0);
    return;
  }
  v128.store(sums, s1, 16);
  v128.store(sums, s0);
  v128.store(products, q1, 16);
  v128.store(products, q0);
  if (vectors > 2) {
    v128.store(sums, s3, 48);
    v128.store(sums, s2, 32);
    v128.store(products, q3, 48);
    v128.store(products, q2, 32);
  }
}
