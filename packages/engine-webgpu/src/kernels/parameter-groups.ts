import type * as tf from '@tensorflow/tfjs-core';
import type { Binding } from '../dispatch.ts';

/** WGSL: \`scaledGradient(g)\` and \`applies()\`, of the input \`gradientScale\` of an optimizer's kernel where it is given. */
export const scaleCode = (scaled: boolean): string => `
  fn scaledGradient(gradient: f32) -> f32 { return gradient${scaled ? ' * gradientScale[0]' : ''}; }

  fn applies() -> bool { return ${scaled ? 'gradientScale[1] > 0' : 'true'}; }`;

/** The binding of \`gradientScale\`, where it is given. */
export const scaleBinding = (scale: tf.TensorInfo | undefined): Binding[] =>
  scale ? [{ name: 'gradientScale', from: scale }] : [];

/** Code for several parameters in one dispatch. */
export interface GroupsCode {
  /** Parameters; the uniform \`size<slot>\` has the elements of each. */
  readonly count: number;
  readonly threads: number;
  readonly perThread: number;
  /** WGSL for every workgroup, before and after its elements. */
  readonly before?: string;
  readonly after?: string;
  /** WGSL for a workgroup of a parameter, before its elements; all of its threads run it. */
  readonly perSlot?: (slot: number) => string;
  /** WGSL for element \`i\` of a parameter. */
  readonly element: (slot: number) => string;
}

/**
 * WGSL: \`main\` for several parameters, one after another. A workgroup of a number takes a block of \`threads * perThread\` elements of the
 * parameter that its number falls into, which begins with block \`first<slot>\` and has \`blocks<slot>\`.
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
