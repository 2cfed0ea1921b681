import type * as tf from '@tensorflow/tfjs-core';
import { type DispatchingBackend, dispatch, workgroupGrid } from './dispatch.ts';
import type { Memory } from './memory.ts';
import { u32 } from './uniform-cache.ts';

const THREADS = 256;

/** What the expression of {@link mapElements} is made of. */
export interface ElementCode {
  readonly memory: Memory;
  /** WGSL type of an expression's value: four neighbouring elements where their number is a multiple of four, else one. */
  readonly type: 'f32' | 'vec4f';
}

/**
 * Computes every element of a tensor from those at the same place in others, in float32, whether they lie as float16 or not.
 *
 * @param key - names the expression.
 * @param inputs - tensors by their names in WGSL, float32, as many elements as `output`.
 * @param expression - WGSL of the value at `i`.
 * @param functions - WGSL that the expression calls. Default: none.
 */
export function mapElements(
  backend: DispatchingBackend,
  key: string,
  inputs: Readonly<Record<string, tf.TensorInfo>>,
  output: tf.TensorInfo,
  expression: (code: ElementCode) => string,
  functions: (type: ElementCode['type']) => string = () => '',
): void {
  const elements = output.shape.reduce((product, length) => product * length, 1);
  const type = elements % 4 === 0 ? 'vec4f' : 'f32';
  const size = type === 'vec4f' ? elements / 4 : elements;
  if (size === 0) return;
  dispatch(backend, {
    key: `${key} ${type}`,
    bindings: [
      ...Object.entries(inputs).map(([name, from]) => ({ name, from, value: type }) as const),
      { name: 'output', from: output, value: type, access: 'read_write' },
    ],
    uniforms: { size: u32(size) },
    code: (memory) => `
  ${functions(type)}
  @compute @workgroup_size(${THREADS})
  fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = id.x + id.y * groups.x * ${THREADS};
    if (i < uniforms.size) { ${memory.store('output', 'i', expression({ memory, type }))} }
  }`,
    workgroups: workgroupGrid(backend, Math.ceil(size / THREADS)),
  });
}
