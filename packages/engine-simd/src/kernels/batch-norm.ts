import type * as tf from '@tensorflow/tfjs-core';
import type { Output } from '../backend.ts';
import { floatBits, type Runtime } from '../runtime.ts';
import {
  BATCH_NORM_APPLY,
  BATCH_NORM_GRADIENT_APPLY,
  BATCH_NORM_GRADIENT_SUMS,
  BATCH_NORM_STATISTICS,
} from '../task-ids.ts';
import { areFloat, ceilDiv, defineKernel, defineOpKernel, type SimdKernel, sizeOf } from './kernel.ts';

/** Bytes of a block of rows that stays in the first cache, and blocks that there should be at most. */
const BLOCK_BYTES = 16384;
const BLOCKS = 64;

/** Rows of a block for sums: a matter of the shape alone, so that results do not depend on the number of threads. */
export function sumBlock(rows: number, channels: number): number {
  return Math.max(8, Math.floor(BLOCK_BYTES / (channels * 4)), ceilDiv(rows, BLOCKS));
}

/** Rows of a block for what has no sums. */
export function applyBlock(channels: number): number {
  return Math.max(8, Math.floor((2 * BLOCK_BYTES) / (channels * 4)));
}

/** Addresses of what turns x into the output; 0 where there is none. */
interface Application {
  readonly x: number;
  readonly output: number;
  readonly mean: number;
  readonly variance: number;
  readonly gamma: number;
  readonly beta: number;
  readonly residual: number;
  readonly relu: boolean;
  readonly epsilon: number;
}

function apply(runtime: Runtime, rows: number, channels: number, a: Application): void {
  const block = applyBlock(channels);
  runtime.runOnce(
    ceilDiv(rows, block),
    ...[BATCH_NORM_APPLY, a.x, a.output, rows, channels, block, a.mean, a.variance],
    ...[a.gamma, a.beta, a.residual, a.relu ? 1 : 0, floatBits(a.epsilon)],
  );
}

/** [rows, channels] of a tensor [..., channels]. */
export function rowsAndChannels(x: tf.TensorInfo): [number, number] {
  const channels = x.shape.at(-1) ?? 1;
  return [sizeOf(x) / channels, channels];
}

/** running = (1 - momentum) running + share batch, in place. */
function moveRunning(running: Float32Array, ofBatch: Float32Array, momentum: number, share: number): void {
  ofBatch.forEach((value, c) => {
    running[c] = (1 - momentum) * (running[c] as number) + share * value;
  });
}

/** Makes the mean of a channel NaN where its variance is not finite: an infinite one would scale all values to 0, which look sound. */
function spoilOverflown(mean: Float32Array, variance: Float32Array): void {
  for (let c = 0; c < variance.length; c++) if (!Number.isFinite(variance[c])) mean[c] = Number.NaN;
}

/** Mean and biased variance of every channel of the numbers at `input`. */
export function computeStatistics(
  runtime: Runtime,
  input: number,
  [rows, channels]: [number, number],
  mean: number,
  variance: number,
): void {
  const block = sumBlock(rows, channels);
  const blocks = ceilDiv(rows, block);
  runtime.withTemporary(blocks * 3 * channels * 4, (parts) => {
    runtime.runOnce(blocks, BATCH_NORM_STATISTICS, input, parts, rows, channels, block);
    runtime.kernels.finishBatchNorm(parts, rows, block, channels, mean, variance);
  });
  spoilOverflown(runtime.floats(mean, channels), runtime.floats(variance, channels));
}

/** Moves running mean and variance towards those of the batch, the latter unbiased. */
export function moveStatistics(
  runtime: Runtime,
  [rows, channels]: [number, number],
  momentum: number,
  [runningMean, mean]: [number, number],
  [runningVariance, variance]: [number, number],
): void {
  const values = (at: number) => runtime.floats(at, channels);
  moveRunning(values(runningMean), values(mean), momentum, momentum);
  moveRunning(values(runningVariance), values(variance), momentum, (momentum * rows) / (rows - 1));
}

const train = defineOpKernel('BatchNormTrain', ({ inputs, attributes: { epsilon, relu, momentum }, backend }) => {
  const { x, gamma, beta, residual, runningMean, runningVariance } = inputs;
  const { runtime } = backend;
  const [rows, channels] = rowsAndChannels(x);
  const [output, mean, variance] = [backend.output(x.shape), backend.output([channels]), backend.output([channels])];
  const input = backend.address(x);
  computeStatistics(runtime, input, [rows, channels], mean.address, variance.address);
  apply(runtime, rows, channels, {
    x: input,
    output: output.address,
    mean: mean.address,
    variance: variance.address,
    gamma: backend.address(gamma),
    beta: backend.address(beta),
    residual: residual ? backend.address(residual) : 0,
    relu,
    epsilon,
  });
  if (momentum !== undefined) {
    const [ofMean, ofVariance] = [backend.address(runningMean), backend.address(runningVariance)];
    moveStatistics(runtime, [rows, channels], momentum, [ofMean, mean.address], [ofVariance, variance.address]);
  }
  return [output.info, mean.info, variance.info];
});

const trainGradient = defineOpKernel(
  'BatchNormTrainGrad',
  ({ inputs, attributes: { epsilon, relu, residual }, backend }) => {
    const { runtime } = backend;
    const [rows, channels] = rowsAndChannels(inputs.x);
    const [dx, dgamma, dbeta] = [
      backend.output(inputs.x.shape),
      backend.output([channels]),
      backend.output([channels]),
    ];
    const dresidual = residual ? backend.output(inputs.x.shape) : undefined;
    const [x, dy, mean, variance] = [inputs.x, inputs.dy, inputs.mean, inputs.variance].map((t) =>
      backend.address(t),
    ) as [number, number, number, number];
    const output = relu ? backend.address(inputs.output) : 0;
    const block = sumBlock(rows, channels);
    const blocks = ceilDiv(rows, block);
    runtime.withTemporary(blocks * 2 * channels * 4, (parts) => {
      runtime.runOnce(blocks, BATCH_NORM_GRADIENT_SUMS, x, parts, rows, channels, block, mean, output, dy);
      runtime.kernels.finishBatchNormGradient(
        parts,
        blocks,
        channels,
        variance,
        epsilon,
        dgamma.address,
        dbeta.address,
      );
    });
    const lines = applyBlock(channels);
    runtime.runOnce(
      ceilDiv(rows, lines),
      ...[
        BATCH_NORM_GRADIENT_APPLY,
        x,
        dx.address,
        rows,
        channels,
        lines,
        mean,
        variance,
        backend.address(inputs.gamma),
      ],
      ...[dgamma.address, dbeta.address, output, dy, dresidual?.address ?? 0, floatBits(epsilon)],
    );
    const results = [dx.info, dgamma.info, dbeta.info];
    return dresidual ? [...results, dresidual.info] : results;
  },
);

const evaluate = defineKernel<'x' | 'scale' | 'offset' | 'mean' | 'variance', { varianceEpsilon?: number }>(
  'FusedBatchNorm',
  ({ inputs: { x, scale, offset, mean, variance }, attributes: { varianceEpsilon }, backend }) => {
    const [rows, channels] = rowsAndChannels(x);
    const perChannel = [mean, variance, scale, offset].filter((t) => t !== undefined && t !== null);
    if (!areFloat(x, ...perChannel) || perChannel.some((t) => sizeOf(t) !== channels) || rows === 0) return null;
    const { info, address } = backend.output(x.shape);
    apply(backend.runtime, rows, channels, {
      x: backend.address(x),
      output: address,
      mean: backend.address(mean),
      variance: backend.address(variance),
      gamma: scale ? backend.address(scale) : 0,
      beta: offset ? backend.address(offset) : 0,
      residual: 0,
      relu: false,
      epsilon: varianceEpsilon ?? 0.001,
    });
    return info;
  },
);

const evaluateFused = defineOpKernel('BatchNormEvaluate', ({ inputs, attributes: { epsilon, relu }, backend }) => {
  const { x, gamma, beta, mean, variance, residual } = inputs;
  const [rows, channels] = rowsAndChannels(x);
  const { info, address } = backend.output(x.shape);
  apply(backend.runtime, rows, channels, {
    x: backend.address(x),
    output: address,
    mean: backend.address(mean),
    variance: backend.address(variance),
    gamma: backend.address(gamma),
    beta: backend.address(beta),
    residual: residual ? backend.address(residual) : 0,
    relu,
    epsilon,
  });
  return info;
});

/**
 * Gradients of `FusedBatchNorm` with respect to x, mean, variance, scale and offset, all of them at once: with
 * d = sqrt(variance + epsilon), dx = dy scale / d, dmean = -scale / d sum(dy), dvariance = -scale / (2 d^3) sum(dy (x - mean)),
 * dscale = sum(dy (x - mean)) / d, doffset = sum(dy).
 */
const evaluateGradient = defineKernel<'dy' | 'x' | 'mean' | 'variance' | 'scale', { epsilon: number }>(
  'FusedBatchNormGrad',
  ({ inputs, attributes: { epsilon }, backend }) => {
    const { runtime } = backend;
    const [rows, channels] = rowsAndChannels(inputs.x);
    const dx = backend.output(inputs.x.shape);
    const [dmean, dvariance, dscale, doffset] = [0, 1, 2, 3].map(() => backend.output([channels])) as [
      Output,
      Output,
      Output,
      Output,
    ];
    const [dy, x, mean, variance] = [inputs.dy, inputs.x, inputs.mean, inputs.variance].map((t) =>
      backend.address(t),
    ) as [number, number, number, number];
    const scale = inputs.scale ? backend.address(inputs.scale) : 0;
    const block = sumBlock(rows, channels);
    const blocks = ceilDiv(rows, block);
    runtime.withTemporary(blocks * 2 * channels * 4, (parts) => {
      runtime.runOnce(blocks, BATCH_NORM_GRADIENT_SUMS, x, parts, rows, channels, block, mean, 0, dy);
      runtime.kernels.finishBatchNormGradient(
        ...[parts, blocks, channels, variance, epsilon, dscale.address, doffset.address],
      );
    });
    runtime.withTemporary(channels * 4, (zeros) => {
      runtime.floats(zeros, channels).fill(0);
      apply(runtime, rows, channels, {
        ...{
          x: dy,
          output: dx.address,
          mean: zeros,
          variance,
          gamma: scale,
          beta: 0,
          residual: 0,
          relu: false,
          epsilon,
        },
      });
    });
    const floats = (address: number) => runtime.floats(address, channels);
    const [variances, scales] = [floats(variance), scale ? floats(scale) : undefined];
    const [means, ofVariance] = [floats(dmean.address), floats(dvariance.address)];
    const [products, sums] = [floats(dscale.address), floats(doffset.address)];
    for (let c = 0; c < channels; c++) {
      const deviation = Math.sqrt(variances[c]! + epsilon);
      const slope = (scales ? scales[c]! : 1) / deviation;
      means[c] = -slope * sums[c]!;
      ofVariance[c] = (-0.5 * slope * products[c]!) / deviation;
    }
    return [dx, dmean, dvariance, dscale, doffset].map(({ info }) => info);
  },
);

/** Batch normalisation in training, its gradient, in evaluation, and the gradient of that. */
export const batchNormKernels: readonly SimdKernel[] = [
  train,
  trainGradient,
  evaluateFused,
  evaluate,
  evaluateGradient,
];
