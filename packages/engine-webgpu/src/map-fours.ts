import type * as tf from '@tensorflow/tfjs-core';
import type { GpuBackend } from './backend.ts';
import { dispatch, workgroupGrid } from './dispatch.ts';
import type { Memory } from './memory.ts';
import { u32 } from './uniform-cache.ts';

const THREADS = 256;

/**
 * Computes every four neighbouring elements of a tensor from those at the same place in others, in float32, whether they lie as float16 or not.
 *
 * @param key - names the expression.
 * @param inputs - tensors by their names in WGSL, as many elements as `output`, a multiple of four.
 * @param expression - WGSL of the four elements at `i`, a `vec4f`.
 */
export function mapFours(
  backend: GpuBackend,
  key: string,
  inputs: Readonly<Record<string, tf.TensorInfo>>,
  output: tf.TensorInfo,
  expression: (memory: Memory) => string,
): void {
  const size = output.shape.reduce((product, length) => product * length, 1) / 4;
  dispatch(backend, {
    key,
    bindings: [
      ...Object.entries(inputs).map(([name, from]) => ({ name, from, value: 'vec4f' as const })),
      { name: 'output', from: output, value: 'vec4f', access: 'read_write' },
    ],
    uniforms: { size: u32(size) },
    code: (memory) => `
  @compute @workgroup_size(${THREADS})
  fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = id.x + id.y * groups.x * ${THREADS};
    if (i < uniforms.size) { ${memory.store('output', 'i', expression(memory))} }
  }`,
    workgroups: workgroupGrid(backend, Math.ceil(size / THREADS)),
  });
}
