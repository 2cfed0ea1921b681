import * as tf from '@tensorflow/tfjs-core';
import { dispatch, workgroupGrid } from '../dispatch.ts';
import { u32 } from '../uniform-cache.ts';
import { defineKernel, type GpuKernel, sizeOf } from './kernel.ts';

const THREADS = 256;

/**
 * Sums; one with a gradient that has not been computed yet is part of its computation, as where a residual branch joins. What lies as float16
 * is added here, all else by the stock kernel.
 */
const add = defineKernel<'a' | 'b'>('Add', ({ inputs: { a, b }, backend }) => {
  const together = backend.addLater(a, b);
  if (together) return together;
  if (!tf.util.arraysEqual(a.shape, b.shape) || !backend.storesHalf(a.shape, a, b)) return null;
  const sum = backend.output(a.shape, { half: true });
  const size = sizeOf(a) / 4;
  dispatch(backend, {
    key: 'AddHalves',
    bindings: [
      { name: 'a', from: a, value: 'vec4f' },
      { name: 'b', from: b, value: 'vec4f' },
      { name: 'sum', from: sum, value: 'vec4f', access: 'read_write' },
    ],
    uniforms: { size: u32(size) },
    code: (memory) => `
  @compute @workgroup_size(${THREADS})
  fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = id.x + id.y * groups.x * ${THREADS};
    if (i < uniforms.size) { ${memory.store('sum', 'i', `${memory.load('a', 'i')} + ${memory.load('b', 'i')}`)} }
  }`,
    workgroups: workgroupGrid(backend, Math.ceil(size / THREADS)),
  });
  return sum;
});

export const addKernels: readonly GpuKernel[] = [add];
