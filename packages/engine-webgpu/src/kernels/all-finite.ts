import type * as tf from '@tensorflow/tfjs-core';
import type { GpuBackend } from '../backend.ts';
import { type Binding, dispatch } from '../dispatch.ts';
import { u32 } from '../uniform-cache.ts';
import { defineOpKernel, type GpuKernel, sizeOf } from './kernel.ts';

const THREADS = 256;
/** Elements are read in turns, by at most so many workgroups for each tensor. */
const MOST_GROUPS = 256;

/** Whether all elements are finite: the flag is set to 1 first, and every element that is not finite sets it to 0. */
const allFinite = defineOpKernel('AllFinite', ({ inputs, attributes, backend }) => {
  const flag = backend.output([]);
  dispatch(backend, {
    key: 'AllFinite start',
    bindings: [{ name: 'flag', from: flag, access: 'read_write' }],
    code: () => '@compute @workgroup_size(1) fn main() { flag[0] = 1; }',
    workgroups: [1],
  });
  const tensors = Array.from({ length: attributes.count }, (_, i) => inputs[`tensor${i}`] as tf.TensorInfo).filter(
    (tensor) => sizeOf(tensor) > 0,
  );
  const perDispatch = backend.device.limits.maxStorageBuffersPerShaderStage - 1;
  for (let first = 0; first < tensors.length; first += perDispatch) {
    checkSome(backend, tensors.slice(first, first + perDispatch), flag);
  }
  return flag;
});

function checkSome(backend: GpuBackend, tensors: readonly tf.TensorInfo[], flag: tf.TensorInfo): void {
  const sizes = tensors.map(sizeOf);
  dispatch(backend, {
    key: `AllFinite ${tensors.length}`,
    bindings: [
      { name: 'flag', type: 'atomic<u32>', from: flag, access: 'read_write' },
      ...tensors.map((from, i): Binding => ({ name: `tensor${i}`, type: 'array<u32>', from })),
    ],
    uniforms: Object.fromEntries(sizes.map((size, i) => [`size${i}`, u32(size)])),
    code: () => code(tensors.length),
    workgroups: [Math.min(MOST_GROUPS, Math.ceil(Math.max(...sizes) / THREADS)), tensors.length],
  });
}

/** A number is infinite or NaN where all bits of its exponent are set; compilers may take for granted that it is neither, but not of its bits. */
function code(count: number): string {
  const cases = Array.from(
    { length: count },
    (_, i) => `
      case ${i}: {
        for (var e = first; e < uniforms.size${i}; e += stride) { bad = bad || (tensor${i}[e] & exponent) == exponent; }
      }`,
  );
  return `
  const exponent = 0x7f800000u;
  @compute @workgroup_size(${THREADS})
  fn main(@builtin(global_invocation_id) id: vec3u, @builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let first = id.x;
    let stride = groups.x * ${THREADS};
    var bad = false;
    switch group.y { ${cases.join('')}
      default: {}
    }
    if (bad) { atomicStore(&flag, 0u); }
  }`;
}

/** The kernel that looks for overflows of a step. */
export const finiteKernels: readonly GpuKernel[] = [allFinite];
