import type * as tf from '@tensorflow/tfjs-core';
import type { OpKernels } from '@tfjs-ssl/ops';
import type { GpuBackend } from '../backend.ts';
import { type Binding, dispatch, floatLiteral, workgroupGrid } from '../dispatch.ts';
import { u32 } from '../uniform-cache.ts';
import { defineOpKernel, type GpuKernel, sizeOf } from './kernel.ts';
import { bindNumbers, blocksOf, groupsCode, scaleCode } from './parameter-groups.ts';

const THREADS = 256;
const PER_THREAD = 4;
const roles = ['parameter', 'gradient', 'firstMoment', 'secondMoment'] as const;

/** One step of Adam, in place, with as many parameters in a dispatch as the device binds buffers for. */
const adamUpdate = defineOpKernel('AdamUpdate', ({ inputs, attributes, backend }) => {
  const numbers = bindNumbers(backend, inputs.scalars as tf.TensorInfo, inputs.gradientScale);
  const perDispatch = Math.floor(backend.device.limits.maxStorageBuffersPerShaderStage / roles.length);
  const indices = Array.from({ length: attributes.count }, (_, i) => i).filter(
    (i) => sizeOf(inputs[`parameter${i}`]!) > 0,
  );
  for (let first = 0; first < indices.length; first += perDispatch) {
    updateSome(backend, indices.slice(first, first + perDispatch), inputs, numbers, attributes);
  }
  return [];
});

function updateSome(
  backend: GpuBackend,
  indices: readonly number[],
  inputs: Readonly<Record<string, tf.TensorInfo | undefined>>,
  numbers: Binding,
  attributes: OpKernels['AdamUpdate']['attributes'],
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
  const scaled = inputs.gradientScale !== undefined;
  dispatch(backend, {
    key: `AdamUpdate ${[indices.length, beta1, beta2, epsilon, weightDecay, decoupled, scaled]}`,
    bindings: [...tensors, numbers],
    uniforms: Object.fromEntries(sizes.map((size, slot) => [`size${slot}`, u32(size)])),
    code: () => code(indices.length, scaled, attributes),
    workgroups: workgroupGrid(backend, blocksOf(sizes, THREADS * PER_THREAD)),
  });
}

function code(count: number, scaled: boolean, options: OpKernels['AdamUpdate']['attributes']): string {
  const { beta1, beta2, epsilon, weightDecay, decoupled } = options;
  const gradient = weightDecay !== 0 && !decoupled ? `g + ${floatLiteral(weightDecay)} * p` : 'g';
  const start = weightDecay !== 0 && decoupled ? `p * (1 - numbers[0].x * ${floatLiteral(weightDecay)})` : 'p';
  return `
  ${scaleCode(scaled)}

  fn update(p: f32, gradient: f32, m: f32, v: f32) -> vec3f {
    let g = scaledGradient(gradient);
    let decayed = ${gradient};
    let first = ${floatLiteral(beta1)} * m + ${floatLiteral(1 - beta1)} * decayed;
    let second = ${floatLiteral(beta2)} * v + ${floatLiteral(1 - beta2)} * decayed * decayed;
    let denominator = sqrt(second) / sqrt(numbers[0].z) + ${floatLiteral(epsilon)};
    return vec3f(${start} - numbers[0].x / numbers[0].y * first / denominator, first, second);
  }

  ${groupsCode({
    count,
    threads: THREADS,
    perThread: PER_THREAD,
    element: (slot) => `
        let u = update(parameter${slot}[i], gradient${slot}[i], firstMoment${slot}[i], secondMoment${slot}[i]);
        if (applies()) {
          parameter${slot}[i] = u.x;
          firstMoment${slot}[i] = u.y;
          secondMoment${slot}[i] = u.z;
        }`,
  })}`;
}

/** The optimizer's kernels. */
export const adamKernels: readonly GpuKernel[] = [adamUpdate];
