import type * as tf from '@tensorflow/tfjs-core';
import type { GpuBackend } from '../backend.ts';
import { type Binding, dispatch, workgroupGrid } from '../dispatch.ts';
import type { Memory, Value } from '../memory.ts';
import { f32, type UniformValue, u32 } from '../uniform-cache.ts';
import {
  applyCode,
  applyFactorsCode,
  evaluateCode,
  finishCode,
  gradientApplyCode,
  gradientFactorsCode,
  gradientFinishCode,
  gradientSumsCode,
  statisticsCode,
} from './batch-norm-code.ts';
import { type ChannelTiles, channelTiles, valueType } from './channel-tiles.ts';
import { defineKernel, defineOpKernel, type GpuKernel, sameData, sizeOf } from './kernel.ts';

/** Workgroups for sums, each of which every other one reads, and for what has none. */
const SUM_GROUPS = 512;
const APPLY_GROUPS = 1024;

/** Tensors that have a value for every row and channel, which may lie as float16; others have one per channel. */
const ofRows = new Set(['x', 'residual', 'output', 'dy', 'dx', 'dresidual']);

/** Turns tensors by name into bindings of one type. */
function bind(
  value: Value,
  tensors: Record<string, tf.TensorInfo | undefined>,
  access: 'read' | 'read_write',
): Binding[] {
  return Object.entries(tensors).flatMap(([name, from]) =>
    from ? [{ name, from, access, ...(ofRows.has(name) ? { value } : { type: `array<${value}>` }) }] : [],
  );
}

/** A new tensor of the shape and in the memory of `x`: a batch norm of float16 gives float16 in mixed precision. */
function outputLike(backend: GpuBackend, x: tf.TensorInfo): tf.TensorInfo {
  return backend.output(x.shape, { half: backend.storesHalf(x.shape, x) });
}

/** Buffers that a pass in two dispatches binds; on devices that bind fewer it takes three. */
const BINDINGS = 10;

/** Partial statistics, then all the rest. */
const train = defineOpKernel('BatchNormTrain', ({ inputs, attributes: { epsilon, relu, momentum }, backend }) => {
  const { x, gamma, beta, residual, runningMean, runningVariance } = inputs;
  const { rows, width, columns, tiles, blocks } = channelTiles(x);
  const output = outputLike(backend, x);
  const [mean, variance] = [backend.output(gamma.shape), backend.output(gamma.shape)];
  const [inSums, inApply] = [blocks(SUM_GROUPS), blocks(APPLY_GROUPS)];
  const variant = { width, relu, residual: Boolean(residual), running: Boolean(runningMean) };
  const key = Object.values(variant).join();
  const sizes = { rows: u32(rows), columns: u32(columns) };
  const merging = {
    ...{ statisticsBlocks: u32(inSums.blocks), rowsPerStatisticsBlock: u32(inSums.rowsPerBlock) },
    ...{ epsilon: f32(epsilon), momentum: f32(momentum ?? 0) },
  };
  const run = (
    name: string,
    read: Tensors,
    written: Tensors,
    block: Block,
    uniforms: Uniforms,
    code: (memory: Memory) => string,
  ) =>
    dispatch(backend, {
      key: name,
      bindings: [...bind(valueType(width), read, 'read'), ...bind(valueType(width), written, 'read_write')],
      uniforms: { ...sizes, rowsPerBlock: u32(block.rowsPerBlock), ...uniforms },
      code,
      workgroups: [tiles, block.blocks],
    });
  const statistics = { mean, variance, runningMean, runningVariance };
  backend.withScratch([inSums.blocks, 2, columns * width], (partials) => {
    run(`BatchNormStatistics ${width}`, { x }, { partials }, inSums, {}, (memory) => statisticsCode(width, memory));
    if (backend.device.limits.maxStorageBuffersPerShaderStage >= BINDINGS) {
      const read = { x, partials, gamma, beta, residual };
      run(`BatchNormApply ${key}`, read, { output, ...statistics }, inApply, merging, (memory) =>
        applyCode(variant, memory),
      );
      return;
    }
    backend.withScratch([3, columns * width], (factors) => {
      const read = { partials, gamma, beta };
      const once = { rowsPerBlock: rows, blocks: 1 };
      run(`BatchNormFinish ${key}`, read, { ...statistics, factors }, once, merging, () => finishCode(variant));
      const last = { x, residual, factors };
      run(`BatchNormApplyFactors ${key}`, last, { output }, inApply, {}, (memory) => applyFactorsCode(variant, memory));
    });
  });
  return [output, mean, variance];
});

type Tensors = Record<string, tf.TensorInfo | undefined>;
type Uniforms = Record<string, UniformValue>;
type Block = ReturnType<ChannelTiles['blocks']>;
/** Partial sums, then dx; where both a rectifier and a residual are there, the first writes the masked dy, which the second reads. */
const trainGradient = defineOpKernel(
  'BatchNormTrainGrad',
  ({ inputs, attributes: { epsilon, relu, residual }, backend }) => {
    const { dy, x, output, mean, variance, gamma } = inputs;
    const { rows, width, columns, tiles, blocks } = channelTiles(x);
    const dx = outputLike(backend, x);
    const [dgamma, dbeta] = [backend.output(gamma.shape), backend.output(gamma.shape)];
    const writesMasked = relu && residual;
    const dresidual = writesMasked ? outputLike(backend, output) : residual ? sameData(backend, dy) : undefined;
    const [inSums, inApply] = [blocks(SUM_GROUPS), blocks(APPLY_GROUPS)];
    const uniforms = { rows: u32(rows), columns: u32(columns), epsilon: f32(epsilon), sumBlocks: u32(inSums.blocks) };
    const run = (name: string, read: Tensors, written: Tensors, block: Block, code: (memory: Memory) => string) =>
      dispatch(backend, {
        key: name,
        bindings: [...bind(valueType(width), read, 'read'), ...bind(valueType(width), written, 'read_write')],
        uniforms: { ...uniforms, rowsPerBlock: u32(block.rowsPerBlock) },
        code,
        workgroups: [tiles, block.blocks],
      });
    backend.withScratch([inSums.blocks, 2, columns * width], (partials) => {
      const summed = { width, masked: relu, writesMasked };
      run(
        `BatchNormGradientSums ${Object.values(summed)}`,
        { dy, x, output: relu ? output : undefined, mean, variance },
        { partials, dresidual: writesMasked ? dresidual : undefined },
        inSums,
        (memory) => gradientSumsCode(summed, memory),
      );
      const applied = { width, masked: relu && !residual };
      const key = Object.values(applied).join();
      const rowTensors = { dy: writesMasked ? dresidual : dy, x, output: applied.masked ? output : undefined };
      const ofChannels = { mean, variance, gamma, partials };
      if (backend.device.limits.maxStorageBuffersPerShaderStage >= BINDINGS) {
        const read = { ...rowTensors, ...ofChannels };
        const written = { dx, dgamma, dbeta };
        run(`BatchNormGradientApply ${key}`, read, written, inApply, (memory) => gradientApplyCode(applied, memory));
        return;
      }
      backend.withScratch([4, columns * width], (factors) => {
        const once = { rowsPerBlock: rows, blocks: 1 };
        const written = { dgamma, dbeta, factors };
        run(`BatchNormGradientFinish ${width}`, ofChannels, written, once, () => gradientFinishCode(width));
        const read = { ...rowTensors, factors };
        run(`BatchNormGradientFactors ${key}`, read, { dx }, inApply, (memory) => gradientFactorsCode(applied, memory));
      });
    });
    return dresidual ? [dx, dgamma, dbeta, dresidual] : [dx, dgamma, dbeta];
  },
);

interface Evaluation {
  readonly x: tf.TensorInfo;
  readonly scale: tf.TensorInfo | undefined;
  readonly offset: tf.TensorInfo | undefined;
  readonly mean: tf.TensorInfo;
  readonly variance: tf.TensorInfo;
  readonly residual?: tf.TensorInfo | undefined;
}

function evaluateRows(backend: GpuBackend, inputs: Evaluation, epsilon: number, relu: boolean): tf.TensorInfo {
  const { x, scale, offset, mean, variance, residual } = inputs;
  const { rows, width, columns } = channelTiles(x);
  const output = outputLike(backend, x);
  const variant = {
    ...{ width, relu },
    ...{ scaled: Boolean(scale), shifted: Boolean(offset), residual: Boolean(residual) },
  };
  dispatch(backend, {
    key: `BatchNormEvaluate ${Object.values(variant)}`,
    bindings: [
      ...bind(valueType(width), { x, scale, offset, mean, variance, residual }, 'read'),
      ...bind(valueType(width), { output }, 'read_write'),
    ],
    uniforms: { size: u32(rows * columns), columns: u32(columns), epsilon: f32(epsilon) },
    code: (memory) => evaluateCode(variant, memory),
    workgroups: workgroupGrid(backend, Math.ceil((rows * columns) / 256)),
  });
  return output;
}

const evaluateFused = defineOpKernel('BatchNormEvaluate', ({ inputs, attributes: { epsilon, relu }, backend }) => {
  const { x, gamma, beta, mean, variance, residual } = inputs;
  return evaluateRows(backend, { x, scale: gamma, offset: beta, mean, variance, residual }, epsilon, relu);
});

const evaluate = defineKernel<'x' | 'scale' | 'offset' | 'mean' | 'variance', { varianceEpsilon?: number }>(
  'FusedBatchNorm',
  ({ inputs: { x, scale, offset, mean, variance }, attributes: { varianceEpsilon }, backend }) => {
    const { rows, width, columns } = channelTiles(x);
    const perChannel = [mean, variance, scale, offset].filter((tensor) => tensor !== undefined && tensor !== null);
    if ([x, ...perChannel].some(({ dtype }) => dtype !== 'float32') || rows === 0) return null;
    if (perChannel.some((tensor) => sizeOf(tensor) !== columns * width)) return null;
    return evaluateRows(backend, { x, scale, offset, mean, variance }, varianceEpsilon ?? 0.001, false);
  },
);

/** Batch normalisation in training, its gradient, and in evaluation: our op and TensorFlow.js's. */
export const batchNormKernels: readonly GpuKernel[] = [train, trainGradient, evaluateFused, evaluate];
