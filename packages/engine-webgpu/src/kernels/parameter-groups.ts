import type * as tf from '@tensorflow/tfjs-core';
import type { GpuBackend } from '../backend.ts';
import type { Binding } from '../dispatch.ts';
import { sizeOf } from './kernel.ts';

/** WGSL: `scaledGradient(g)` and `applies()`, of the input `gradientScale` of an optimizer's kernel where it is given. */
export const scaleCode = (scaled: boolean): string => `
  fn scaledGradient(gradient: f32) -> f32 { return gradient${scaled ? ' * numbers[1].x' : ''}; }

  fn applies() -> bool { return ${scaled ? 'numbers[1].y > 0' : 'true'}; }`;

const numberBuffers = new WeakMap<GPUDevice, GPUBuffer>();

/**
 * The numbers of a step as a uniform buffer `numbers`: the scalars of an optimizer's kernel in its first vector, its gradient scale in the
 * second. A copy costs less than the storage buffers that the tensors would take from the parameters of every dispatch.
 */
export function bindNumbers(backend: GpuBackend, scalars: tf.TensorInfo, scale: tf.TensorInfo | undefined): Binding {
  const { device } = backend;
  let numbers = numberBuffers.get(device);
  if (!numbers) {
    numbers = device.createBuffer({
      label: 'numbers of a step',
      size: 32,
      usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    });
    numberBuffers.set(device, numbers);
  }
  for (const [tensor, offset] of [
    [scalars, 0],
    [scale, 16],
  ] as const) {
    if (!tensor) continue;
    const source = backend.bufferOf(tensor);
    backend.ensureCommandEncoderReady();
    backend.endComputePassEncoder();
    backend.commandQueueOwnedIds.add(tensor.dataId);
    backend.commandEncoder?.copyBufferToBuffer(source, 0, numbers, offset, 4 * sizeOf(tensor));
  }
  return { name: 'numbers', type: 'array<vec4f, 2>', access: 'uniform', from: numbers };
}

/** Code for several parameters in one dispatch. */
export interface GroupsCode {
  /** Parameters; the uniform `size<slot>` has the elements of each. */
  readonly count: number;
  readonly threads: number;
  readonly perThread: number;
  /** WGSL for every workgroup, before and after its elements. */
  readonly before?: string;
  readonly after?: string;
  /** WGSL for a workgroup of a parameter, before its elements; all of its threads run it. */
  readonly perSlot?: (slot: number) => string;
  /** WGSL for element `i` of a parameter. */
  readonly element: (slot: number) => string;
}

/**
 * WGSL: `main` for several parameters, one after another. A workgroup of a number takes a block of `threads * perThread` elements of the
 * parameter that its number falls into, which begins with block `first<slot>` and has `blocks<slot>`.
 */
export function groupsCode({
  count,
  threads,
  perThread,
  before = '',
  after = '',
  perSlot,
  element,
}: GroupsCode): string {
  const block = threads * perThread;
  const slots = Array.from({ length: count }, (_, slot) => slot);
  return `
  @compute @workgroup_size(${threads})
  fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) thread: u32,
  ) {
    let number = group.x + group.y * groups.x;
    let first0 = 0u;
    ${slots
      .map(
        (slot) => `let blocks${slot} = (uniforms.size${slot} + ${block - 1}) / ${block};
    let first${slot + 1} = first${slot} + blocks${slot};`,
      )
      .join('\n    ')}
    if (number >= first${count}) { return; }
    ${before}
    ${slots
      .map(
        (slot) => `
    if (number >= first${slot} && number < first${slot + 1}) {
      ${perSlot?.(slot) ?? ''}
      for (var k = 0u; k < ${perThread}; k++) {
        let i = ((number - first${slot}) * ${perThread} + k) * ${threads} + thread;
        if (i >= uniforms.size${slot}) { break; }
        ${element(slot)}
      }
    }`,
      )
      .join('')}
    ${after}
  }`;
}

/** Blocks of parameters of these sizes. */
export const blocksOf = (sizes: readonly number[], block: number): number =>
  sizes.reduce((sum, size) => sum + Math.ceil(size / block), 0);
