import { sumLanes } from './math';
import { floats } from './words';

@unmanaged
class ReduceJob {
  task: i32;
  /** 0 sum, 1 maximum. */
  operation: i32;
  input: usize;
  output: usize;
  /** The input has shape [outer, length, inner]; the middle axis is reduced, part by part. */
  outer: i32;
  length: i32;
  inner: i32;
  parts: i32;
  /** Length of a part; the last may be shorter. The output has shape [outer, parts, inner]. */
  partLength: i32;
  /** Pairs (outer, part) of one task. */
  group: i32;
  /** Columns of the inner axis that one task reduces, a multiple of 16 or all. */
  innerBlock: i32;
  /** Factor applied to the result. */
  scale: f32;
}

/** Reduces `group` parts, one block of their columns. */
export function reduceTask(address: usize, index: i32): void {
  const job = changetype<ReduceJob>(address);
  const innerBlocks = (job.inner + job.innerBlock - 1) / job.innerBlock;
  const position = index / innerBlocks;
  const column = (index - position * innerBlocks) * job.innerBlock;
  const columns = min(job.innerBlock, job.inner - column);
  const last = min(job.outer * job.parts, (position + 1) * job.group);
  for (let i = position * job.group; i < last; i++) {
    const outer = i / job.parts;
    const from = (i - outer * job.parts) * job.partLength;
    const n = min(job.partLength, job.length - from);
    const input = job.input + floats((outer * job.length + from) * job.inner + column);
    const output = job.output + floats(i * job.inner + column);
    if (job.inner === 1) {
      store<f32>(output, (job.operation === 0 ? sumRow(input, n) : maximumOfRow(input, n)) * job.scale);
    } else {
      reduceColumns(job.operation, input, output, n, columns, floats(job.inner), job.scale);
    }
  }
}

/** Sum of a row; float64 over chunks of float32 sums, so that long rows keep their digits. */
function sumRow(input: usize, n: i32): f32 {
  let total: f64 = 0;
  const end = input + floats(n);
  while (input + 64 <= end) {
    const chunkEnd = min(input + 4096, end);
    let s0 = f32x4.splat(0);
    let s1 = s0;
    let s2 = s0;
    let s3 = s0;
    for (; input + 64 <= chunkEnd; input += 64) {
      s0 = f32x4.add(s0, v128.load(input));
      s1 = f32x4.add(s1, v128.load(input, 16));
      s2 = f32x4.add(s2, v128.load(input, 32));
      s3 = f32x4.add(s3, v128.load(input, 48));
    }
    total += <f64>sumLanes(f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3)));
  }
  for (; input < end; input += 4) total += <f64>load<f32>(input);
  return <f32>total;
}

function maximumOfRow(input: usize, n: i32): f32 {
  const end = input + floats(n);
  let m = f32x4.splat(-Infinity);
  for (; input + 16 <= end; input += 16) m = f32x4.max(m, v128.load(input));
  let best = max(
    max(f32x4.extract_lane(m, 0), f32x4.extract_lane(m, 1)),
    max(f32x4.extract_lane(m, 2), f32x4.extract_lane(m, 3)),
  );
  for (; input < end; input += 4) best = max(best, load<f32>(input));
  return best;
}

function reduceColumns(operation: i32, input: usize, output: usize, n: i32, columns: i32, step: usize, scale: f32): void {
  const end = floats(columns);
  const whole = floats(columns & ~3);
  const factor = f32x4.splat(scale);
  let c: usize = 0;
  for (; c + 64 <= whole; c += 64) {
    let p = input + c;
    let s0 = v128.load(p);
    let s1 = v128.load(p, 16);
    let s2 = v128.load(p, 32);
    let s3 = v128.load(p, 48);
    for (let r = 1; r < n; r++) {
      p += step;
      if (operation === 0) {
        s0 = f32x4.add(s0, v128.load(p));
        s1 = f32x4.add(s1, v128.load(p, 16));
        s2 = f32x4.add(s2, v128.load(p, 32));
        s3 = f32x4.add(s3, v128.load(p, 48));
      } else {
        s0 = f32x4.max(s0, v128.load(p));
        s1 = f32x4.max(s1, v128.load(p, 16));
        s2 = f32x4.max(s2, v128.load(p, 32));
        s3 = f32x4.max(s3, v128.load(p, 48));
      }
    }
    v128.store(output + c, f32x4.mul(s0, factor));
    v128.store(output + c, f32x4.mul(s1, factor), 16);
    v128.store(output + c, f32x4.mul(s2, factor), 32);
    v128.store(output + c, f32x4.mul(s3, factor), 48);
  }
  for (; c < whole; c += 16) {
    let p = input + c;
    let s = v128.load(p);
    for (let r = 1; r < n; r++) {
      p += step;
      s = operation === 0 ? f32x4.add(s, v128.load(p)) : f32x4.max(s, v128.load(p));
    }
    v128.store(output + c, f32x4.mul(s, factor));
  }
  for (; c < end; c += 4) {
    let p = input + c;
    let s = load<f32>(p);
    for (let r = 1; r < n; r++) {
      p += step;
      s = operation === 0 ? s + load<f32>(p) : max(s, load<f32>(p));
    }
    store<f32>(output + c, s * scale);
  }
}
