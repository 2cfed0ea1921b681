import type * as tf from '@tensorflow/tfjs-core';
import type { AdamUpdateOptions } from '@tfjs-ssl/ops';
import type { GpuBackend } from '../backend.ts';
import { type Binding, dispatch, floatLiteral, workgroupGrid } from '../dispatch.ts';
import { u32 } from '../uniform-cache.ts';
import { defineKernel, type GpuKernel, sizeOf } from './kernel.ts';

type Attributes = AdamUpdateOptions & { readonly count: number };

const THREADS = 256;
const roles = ['parameter', 'gradient', 'firstMoment', 'secondMoment'] as const;

/** One step of Adam, in place, with as many parameters in a dispatch as the device binds buffers for. */
const adamUpdate = defineKernel<string, Attributes>('AdamUpdate', ({ inputs, attributes, backend }) => {
  const scalars = inputs.scalars as tf.TensorInfo;
  const perDispatch = Math.floor((backend.device.limits.maxStorageBuffersPerShaderStage - 1) / roles.length);
  const indices = Array.from({ length: attributes.count }, (_, i) => i).filter(
    (i) => sizeOf(inputs[`parameter${i}`]!) > 0,
  );
  for (let first = 0; first < indices.length; first += perDispatch) {
    updateSome(backend, indices.slice(first, first + perDispatch), inputs, scalars, attributes);
  }
  return [];
});

function updateSome(
  backend: GpuBackend,
  indices: readonly number[],
  inputs: Readonly<Record<string, tf.TensorInfo>>,
  scalars: tf.TensorInfo,
  attributes: Attributes,
): void {
  const sizes = indices.map((i) => sizeOf(inputs[`parameter${i}`] as tf.TensorInfo));
  const { beta1, beta2, epsilon, weightDecay, decoupled } = attributes;
  const tensors = indices.flatMap((i, slot): Binding[] =>
    roles.map((role) => ({
      name: `${role}${slot}`,
      from: inputs[`${role}${i}`] as tf.TensorInfo,
      access: role === 'gradient' ? 'read' : 'read_write',
    })),
  );
  dispatch(backend, {
    key: `AdamUpdate ${[indices.length, beta1, beta2, epsilon, weightDecay, decoupled]}`,
    bindings: [...tensors, { name: 'scalars', from: scalars }],
    uniforms: Object.fromEntries(sizes.map((size, slot) => [`size${slot}`, u32(size)])),
    code: () => code(indices.length, attributes),
    workgroups: workgroupGrid(
      backend,
      sizes.reduce((sum, size) => sum + Math.ceil(size / THREADS), 0),
    ),
  });
}

/** Workgroups go through the parameters one after another: each takes `THREADS` elements of the one that its number falls into. */
function code(count: number, { beta1, beta2, epsilon, weightDecay, decoupled }: AdamUpdateOptions): string {
  const gradient = weightDecay !== 0 && !decoupled ? `g + ${floatLiteral(weightDecay)} * p` : 'g';
  const start = weightDecay !== 0 && decoupled ? `p * (1 - scalars[0] * ${floatLiteral(weightDecay)})` : 'p';
  const cases = Array.from(
    { length: count },
    (_, slot) => `
    let groups${slot} = (uniforms.size${slot} + ${THREADS - 1}) / ${THREADS};
    if (group < groups${slot}) {
      let i = group * ${THREADS} + local.x;
      if (i < uniforms.size${slot}) {
        let u = update(parameter${slot}[i], gradient${slot}[i], firstMoment${slot}[i], secondMoment${slot}[i]);
        parameter${slot}[i] = u.x;
        firstMoment${slot}[i] = u.y;
        secondMoment${slot}[i] = u.z;
      }
      return;
    }
    group -= groups${slot};`,
  );
  return `
  fn update(p: f32, g: f32, m: f32, v: f32) -> vec3f {
    let decayed = ${gradient};
    let first = ${floatLiteral(beta1)} * m + ${floatLiteral(1 - beta1)} * decayed;
    let second = ${floatLiteral(beta2)} * v + ${floatLiteral(1 - beta2)} * decayed * decayed;
    let denominator = sqrt(second) / sqrt(scalars[2]) + ${floatLiteral(epsilon)};
    return vec3f(${start} - scalars[0] / scalars[1] * first / denominator, first, second);
  }

  @compute @workgroup_size(${THREADS})
  fn main(
    @builtin(workgroup_id) id: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_id) local: vec3u,
  ) {
    var group = id.x + id.y * groups.x;
    ${cases.join('')}
  }`;
}

/** The optimizer's kernels. */
export const adamKernels: readonly GpuKernel[] = [adamUpdate];
