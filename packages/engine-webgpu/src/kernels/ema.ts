import type * as tf from '@tensorflow/tfjs-core';
import { type Binding, dispatch, workgroupGrid } from '../dispatch.ts';
import { u32 } from '../uniform-cache.ts';
import { defineOpKernel, type GpuKernel, sizeOf } from './kernel.ts';
import { bindNumbers, blocksOf, groupsCode } from './parameter-groups.ts';

const THREADS = 256;
const PER_THREAD = 4;

/** One step of moving averages, in place, with as many of them in a dispatch as the device binds buffers for. */
const emaUpdate = defineOpKernel('EmaUpdate', ({ inputs, attributes, backend }) => {
  const numbers = bindNumbers(backend, inputs.share as tf.TensorInfo, undefined);
  const perDispatch = Math.floor(backend.device.limits.maxStorageBuffersPerShaderStage / 2);
  const indices = Array.from({ length: attributes.count }, (_, i) => i).filter(
    (i) => sizeOf(inputs[`average${i}`] as tf.TensorInfo) > 0,
  );
  for (let first = 0; first < indices.length; first += perDispatch) {
    const some = indices.slice(first, first + perDispatch);
    const sizes = some.map((i) => sizeOf(inputs[`average${i}`] as tf.TensorInfo));
    const tensors = some.flatMap((i, slot): Binding[] => [
      { name: `average${slot}`, from: inputs[`average${i}`] as tf.TensorInfo, access: 'read_write' },
      { name: `value${slot}`, from: inputs[`value${i}`] as tf.TensorInfo, access: 'read' },
    ]);
    dispatch(backend, {
      key: `EmaUpdate ${some.length}`,
      bindings: [...tensors, numbers],
      uniforms: Object.fromEntries(sizes.map((size, slot) => [`size${slot}`, u32(size)])),
      code: () => code(some.length),
      workgroups: workgroupGrid(backend, blocksOf(sizes, THREADS * PER_THREAD)),
    });
  }
  return [];
});

/** The share is taken from the nearer end, so that 1 copies and 0 keeps every bit. */
const code = (count: number): string => `
  fn moved(average: f32, value: f32) -> f32 {
    let share = numbers[0].x;
    let difference = value - average;
    if (share >= 0.5) { return value + (share - 1) * difference; }
    return average + share * difference;
  }

  ${groupsCode({
    count,
    threads: THREADS,
    perThread: PER_THREAD,
    element: (slot) => `average${slot}[i] = moved(average${slot}[i], value${slot}[i]);`,
  })}`;

/** Moving averages. */
export const emaKernels: readonly GpuKernel[] = [emaUpdate];
