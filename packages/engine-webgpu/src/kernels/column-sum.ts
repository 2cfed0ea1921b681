import * as tf from '@tensorflow/tfjs-core';
import type { GpuBackend } from '../backend.ts';
import { dispatch } from '../dispatch.ts';
import type { Memory } from '../memory.ts';
import { f32, u32 } from '../uniform-cache.ts';
import { channelTiles, tileHeader, tileMain, valueType } from './channel-tiles.ts';
import { defineKernel, type GpuKernel, sizeOf } from './kernel.ts';

/** Rows that one workgroup adds by itself; of more, blocks are added first. */
const ROWS_AT_ONCE = 4096;
const GROUPS = 512;

/** Sums of the columns in every block of rows, in a fixed order. */
const code = (width: 1 | 4, memory: Memory): string => `
  ${tileHeader(width)}
  var<workgroup> sums: array<Value, THREADS>;
  ${tileMain}
    var sum = Value();
    for (var row = begin; row < end; row += LANES) { sum += ${memory.load('x', 'row * uniforms.columns + column')}; }
    sums[thread] = sum;
    for (var half = THREADS / 2; half >= COLUMNS; half /= 2) {
      workgroupBarrier();
      if (thread < half) { sums[thread] += sums[thread + half]; }
    }
    if (inside && lane == 0) { output[group.y * uniforms.columns + column] = sums[thread] * uniforms.factor; }
  }`;

function addBlocks(
  backend: GpuBackend,
  x: tf.TensorInfo,
  output: tf.TensorInfo,
  { rowsPerBlock, blocks }: { rowsPerBlock: number; blocks: number },
  factor: number,
): void {
  const { rows, width, columns, tiles } = channelTiles(x);
  const value = valueType(width);
  dispatch(backend, {
    key: `ColumnSum ${width}`,
    bindings: [
      { name: 'x', from: x, value },
      { name: 'output', from: output, type: `array<${value}>`, access: 'read_write' },
    ],
    uniforms: { rows: u32(rows), columns: u32(columns), rowsPerBlock: u32(rowsPerBlock), factor: f32(factor) },
    code: (memory) => code(width, memory),
    workgroups: [tiles, blocks],
  });
}

type Attributes = { readonly axis: number | number[]; readonly keepDims?: boolean };

/** Sum or mean over all axes but the last, as a bias takes its gradient; other axes are left to the stock kernel. */
const columnReduction = (kernelName: 'Sum' | 'Mean'): GpuKernel =>
  defineKernel<'x', Attributes>(kernelName, ({ inputs: { x }, attributes: { axis, keepDims }, backend }) => {
    const axes = tf.util.parseAxisParam(axis, x.shape).sort((a, b) => a - b);
    const leading = axes.length === x.shape.length - 1 && axes.every((a, i) => a === i);
    if (!leading || axes.length === 0 || x.dtype !== 'float32' || sizeOf(x) === 0) return null;
    const channels = x.shape.at(-1) as number;
    const output = backend.output(keepDims ? [...axes.map(() => 1), channels] : [channels]);
    const { rows, blocks } = channelTiles(x);
    const factor = kernelName === 'Mean' ? 1 / rows : 1;
    if (rows <= ROWS_AT_ONCE) {
      addBlocks(backend, x, output, { rowsPerBlock: rows, blocks: 1 }, factor);
      return output;
    }
    const inBlocks = blocks(GROUPS);
    backend.withScratch([inBlocks.blocks, channels], (partials) => {
      addBlocks(backend, x, partials, inBlocks, 1);
      addBlocks(backend, partials, output, { rowsPerBlock: inBlocks.blocks, blocks: 1 }, factor);
    });
    return output;
  });

/** Sums and means of columns. */
export const columnSumKernels: readonly GpuKernel[] = [columnReduction('Sum'), columnReduction('Mean')];
