import type { Memory } from '../memory.ts';
import { numbersCode } from '../numbers-code.ts';
import { tileHeader, tileMain, valueType } from './channel-tiles.ts';

/** WGSL: the moments (number, mean, sum of squared deviations) of many threads become those of all, by Chan's formula, in a fixed order. */
const moments = `
  var<workgroup> counts: array<f32, THREADS>;
  var<workgroup> means: array<Value, THREADS>;
  var<workgroup> squares: array<Value, THREADS>;

  fn merge(to: u32, count: f32, mean: Value, square: Value) {
    let total = counts[to] + count;
    let share = count / max(total, 1);
    let gap = mean - means[to];
    squares[to] += square + gap * gap * (counts[to] * share);
    means[to] += gap * share;
    counts[to] = total;
  }

  // The moments of a column end in its first lane.
  fn mergeLanes(thread: u32) {
    for (var half = THREADS / 2; half >= COLUMNS; half /= 2) {
      workgroupBarrier();
      if (thread < half) { merge(thread, counts[thread + half], means[thread + half], squares[thread + half]); }
    }
    workgroupBarrier();
  }`;

/** First dispatch of the forward pass: mean and squared deviations of every channel in every block of rows. */
export const statisticsCode = (width: 1 | 4, memory: Memory): string => `
  ${tileHeader(width)}
  ${moments}
  ${tileMain}
    var count = 0f;
    var sum = Value();
    var square = Value();
    // Deviations from the thread's first value: what is far from zero keeps its digits.
    var origin = Value();
    if (begin < end) { origin = ${memory.load('x', 'begin * uniforms.columns + column')}; }
    for (var row = begin; row < end; row += LANES) {
      let deviation = ${memory.load('x', 'row * uniforms.columns + column')} - origin;
      sum += deviation;
      square += deviation * deviation;
      count += 1;
    }
    let average = sum / max(count, 1);
    counts[thread] = count;
    means[thread] = origin + average;
    squares[thread] = max(square - sum * average, Value());
    mergeLanes(thread);
    if (inside && lane == 0) {
      partials[2 * group.y * uniforms.columns + column] = means[thread];
      partials[(2 * group.y + 1) * uniforms.columns + column] = squares[thread];
    }
  }`;

/** What the forward pass has beside its batch. */
export interface ApplyVariant {
  readonly width: 1 | 4;
  readonly relu: boolean;
  readonly residual: boolean;
  readonly running: boolean;
}

/** WGSL: merges the partial statistics of a workgroup's channels, into `average` and `deviation`, and writes them down once. */
const mergeStatistics = (running: boolean): string => `
    counts[thread] = 0;
    means[thread] = Value();
    squares[thread] = Value();
    if (inside) {
      for (var block = lane; block < uniforms.statisticsBlocks; block += LANES) {
        let count = f32(min(uniforms.rowsPerStatisticsBlock, uniforms.rows - block * uniforms.rowsPerStatisticsBlock));
        let at = 2 * block * uniforms.columns + column;
        merge(thread, count, partials[at], partials[at + uniforms.columns]);
      }
    }
    mergeLanes(thread);
    let average = means[thread % COLUMNS];
    let deviation = squares[thread % COLUMNS] / f32(uniforms.rows);
    if (!inside) { return; }
    if (group.y == 0 && lane == 0) {
      mean[column] = average;
      variance[column] = deviation;
      ${
        running
          ? `
      let unbiased = squares[thread] / f32(uniforms.rows - 1);
      // A step that is skipped must not leave running statistics behind that are not finite.
      let sound = isFiniteNumber(average) & isFiniteNumber(unbiased);
      let meanNow = runningMean[column];
      let varianceNow = runningVariance[column];
      runningMean[column] = select(meanNow, (1 - uniforms.momentum) * meanNow + uniforms.momentum * average, sound);
      runningVariance[column] = select(varianceNow, (1 - uniforms.momentum) * varianceNow + uniforms.momentum * unbiased, sound);`
          : ''
      }
    }
    // An infinite variance would scale all to 0, which looks sound.
    let scale = spoiledBy(gamma[column] / sqrt(deviation + uniforms.epsilon), deviation);
    let shift = beta[column];`;

/** WGSL: normalises a workgroup's rows by `average`, `scale` and `shift`. */
const normaliseRows = ({ residual, relu }: ApplyVariant, memory: Memory): string => `
    for (var row = begin; row < end; row += LANES) {
      let i = row * uniforms.columns + column;
      var value = (${memory.load('x', 'i')} - average) * scale + shift;
      ${residual ? `value += ${memory.load('residual', 'i')};` : ''}
      ${relu ? 'value = rectified(value);' : ''}
      ${memory.store('output', 'i', 'value')}
    }`;

/** Second dispatch of the forward pass: every workgroup merges the partial statistics of its channels, then normalises its rows. */
export const applyCode = (variant: ApplyVariant, memory: Memory): string => `
  ${tileHeader(variant.width)}
  ${numbersCode(valueType(variant.width))}
  ${moments}
  ${tileMain}
    ${mergeStatistics(variant.running)}
    ${normaliseRows(variant, memory)}
  }`;

/** Second of three dispatches on devices that bind few buffers: merges the partial statistics and leaves what the third multiplies by. */
export const finishCode = ({ width, running }: ApplyVariant): string => `
  ${tileHeader(width)}
  ${numbersCode(valueType(width))}
  ${moments}
  ${tileMain}
    ${mergeStatistics(running)}
    if (lane == 0) {
      factors[column] = average;
      factors[column + uniforms.columns] = scale;
      factors[column + 2 * uniforms.columns] = shift;
    }
  }`;

/** Third dispatch there: normalises. */
export const applyFactorsCode = (variant: ApplyVariant, memory: Memory): string => `
  ${tileHeader(variant.width)}
  ${numbersCode(valueType(variant.width))}
  ${tileMain}
    if (!inside) { return; }
    let average = factors[column];
    let scale = factors[column + uniforms.columns];
    let shift = factors[column + 2 * uniforms.columns];
    ${normaliseRows(variant, memory)}
  }`;

/** WGSL: two sums of many threads become those of all, in a fixed order. */
const sums = `
  var<workgroup> firsts: array<Value, THREADS>;
  var<workgroup> seconds: array<Value, THREADS>;

  // The sums of a column end in its first lane.
  fn addLanes(thread: u32) {
    for (var half = THREADS / 2; half >= COLUMNS; half /= 2) {
      workgroupBarrier();
      if (thread < half) {
        firsts[thread] += firsts[thread + half];
        seconds[thread] += seconds[thread + half];
      }
    }
    workgroupBarrier();
  }`;

/** What the backward pass has to do. */
export interface GradientVariant {
  readonly width: 1 | 4;
  /** Whether dy counts only where the output is above 0. */
  readonly masked: boolean;
  /** Whether the masked dy is written, as the gradient of the residual. */
  readonly writesMasked: boolean;
}

/** WGSL: the dy that counts. */
const upstream = (masked: boolean, memory: Memory): string => {
  const dy = memory.load('dy', 'i');
  return masked ? `select(Value(), ${dy}, ${memory.load('output', 'i')} > Value())` : dy;
};

/** First dispatch of the backward pass: sums of dz and of dz times the normalised x in every block of rows. */
export const gradientSumsCode = ({ width, masked, writesMasked }: GradientVariant, memory: Memory): string => `
  ${tileHeader(width)}
  ${sums}
  ${tileMain}
    var first = Value();
    var second = Value();
    if (begin < end) {
      let average = mean[column];
      let inverse = 1 / sqrt(variance[column] + uniforms.epsilon);
      for (var row = begin; row < end; row += LANES) {
        let i = row * uniforms.columns + column;
        let dz = ${upstream(masked, memory)};
        ${writesMasked ? memory.store('dresidual', 'i', 'dz') : ''}
        first += dz;
        second += dz * ((${memory.load('x', 'i')} - average) * inverse);
      }
    }
    firsts[thread] = first;
    seconds[thread] = second;
    addLanes(thread);
    if (inside && lane == 0) {
      partials[2 * group.y * uniforms.columns + column] = firsts[thread];
      partials[(2 * group.y + 1) * uniforms.columns + column] = seconds[thread];
    }
  }`;

/** WGSL: adds the partial sums of a workgroup's channels, writes them down once, and makes of them what dx is made of. */
const addSums = `
    var first = Value();
    var second = Value();
    if (inside) {
      for (var block = lane; block < uniforms.sumBlocks; block += LANES) {
        let at = 2 * block * uniforms.columns + column;
        first += partials[at];
        second += partials[at + uniforms.columns];
      }
    }
    firsts[thread] = first;
    seconds[thread] = second;
    addLanes(thread);
    if (!inside) { return; }
    let sum = firsts[thread % COLUMNS];
    let projection = seconds[thread % COLUMNS];
    if (group.y == 0 && lane == 0) {
      dbeta[column] = sum;
      dgamma[column] = projection;
    }
    let average = mean[column];
    let inverse = 1 / sqrt(variance[column] + uniforms.epsilon);
    let scale = gamma[column] * inverse;
    let meanSum = sum / f32(uniforms.rows);
    let slope = inverse * (projection / f32(uniforms.rows));`;

const gradientRows = (masked: boolean, memory: Memory): string => `
    for (var row = begin; row < end; row += LANES) {
      let i = row * uniforms.columns + column;
      let dz = ${upstream(masked, memory)};
      ${memory.store('dx', 'i', `scale * (dz - (meanSum + (${memory.load('x', 'i')} - average) * slope))`)}
    }`;

/** What makes dx. */
export type GradientApplyVariant = Omit<GradientVariant, 'writesMasked'>;

/** Second dispatch of the backward pass: every workgroup adds the partial sums of its channels, then makes dx of its rows. */
export const gradientApplyCode = ({ width, masked }: GradientApplyVariant, memory: Memory): string => `
  ${tileHeader(width)}
  ${sums}
  ${tileMain}
    ${addSums}
    ${gradientRows(masked, memory)}
  }`;

/** Second of three dispatches on devices that bind few buffers: adds the partial sums and leaves what the third takes. */
export const gradientFinishCode = (width: 1 | 4): string => `
  ${tileHeader(width)}
  ${sums}
  ${tileMain}
    ${addSums}
    if (lane == 0) {
      factors[column] = average;
      factors[column + uniforms.columns] = scale;
      factors[column + 2 * uniforms.columns] = meanSum;
      factors[column + 3 * uniforms.columns] = slope;
    }
  }`;

/** Third dispatch there: makes dx. */
export const gradientFactorsCode = ({ width, masked }: GradientApplyVariant, memory: Memory): string => `
  ${tileHeader(width)}
  ${tileMain}
    if (!inside) { return; }
    let average = factors[column];
    let scale = factors[column + uniforms.columns];
    let meanSum = factors[column + 2 * uniforms.columns];
    let slope = factors[column + 3 * uniforms.columns];
    ${gradientRows(masked, memory)}
  }`;

/** What {@link evaluateCode} is generated for. */
export interface EvaluateVariant {
  readonly width: 1 | 4;
  readonly scaled: boolean;
  readonly shifted: boolean;
  readonly residual: boolean;
  readonly relu: boolean;
}

/** Evaluation: one value a thread. */
export const evaluateCode = ({ width, scaled, shifted, residual, relu }: EvaluateVariant, memory: Memory): string => `
  alias Value = ${valueType(width)};
  ${numbersCode(valueType(width))}

  @compute @workgroup_size(256)
  fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = id.x + id.y * groups.x * 256;
    if (i >= uniforms.size) { return; }
    let column = i % uniforms.columns;
    let scale = ${scaled ? 'scale[column]' : 'Value(1)'} / sqrt(variance[column] + uniforms.epsilon);
    let value = (${memory.load('x', 'i')} - mean[column]) * scale${shifted ? ' + offset[column]' : ''}${residual ? ` + ${memory.load('residual', 'i')}` : ''};
    ${memory.store('output', 'i', relu ? 'rectified(value)' : 'value')}
  }`;
