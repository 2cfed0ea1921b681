import type * as tf from '@tensorflow/tfjs-core';
import { floatBits } from '../runtime.ts';
import { EMA } from '../task-ids.ts';
import { defineOpKernel, type SimdKernel, sizeOf } from './kernel.ts';

/** Elements of a task. */
const BLOCK = 32768;

/** One step of all moving averages, in place, as one job. */
const emaUpdate = defineOpKernel('EmaUpdate', ({ inputs, attributes, backend }) => {
  const { runtime } = backend;
  const [share] = backend.values(inputs.share as tf.TensorInfo) as Float32Array as unknown as [number];
  const table: number[] = [];
  for (let i = 0; i < attributes.count; i++) {
    const [average, value] = [inputs[`average${i}`], inputs[`value${i}`]] as [tf.TensorInfo, tf.TensorInfo];
    const [to, from] = [backend.address(average), backend.address(value)];
    const size = sizeOf(average);
    for (let first = 0; first < size; first += BLOCK) {
      table.push(to + first * 4, from + first * 4, Math.min(BLOCK, size - first));
    }
  }
  const fromValue = share >= 0.5;
  runtime.withTemporary(Math.max(4, table.length * 4), (address) => {
    runtime.words.set(table, address / 4);
    runtime.runOnce(table.length / 3, EMA, address, fromValue ? 1 : 0, floatBits(fromValue ? share - 1 : share));
  });
  return [];
});

/** Moving averages. */
export const emaKernels: readonly SimdKernel[] = [emaUpdate];
