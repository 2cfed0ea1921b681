import type * as tf from '@tensorflow/tfjs-core';
import type { OpKernels } from '@tfjs-ssl/ops';
import type { GpuBackend } from '../backend.ts';
import { type Binding, dispatch, workgroupGrid } from '../dispatch.ts';
import { f32, u32 } from '../uniform-cache.ts';
import { defineOpKernel, type GpuKernel, sizeOf } from './kernel.ts';
import { type MomentumVariant, normsCode, updateCode } from './momentum-code.ts';
import { bindNumbers, blocksOf } from './parameter-groups.ts';

type Tensors = Readonly<Record<string, tf.TensorInfo | undefined>>;

const THREADS = 256;
const PER_THREAD = 16;

/**
 * SGD with momentum, or LARS, in place, with as many parameters in a dispatch as the device binds buffers for. Trust ratios take a
 * dispatch before, so parameters with and without them go apart.
 */
const momentumUpdate = defineOpKernel('MomentumUpdate', ({ inputs, attributes, backend }) => {
  const { count, momentum, trustCoefficients } = attributes;
  const numbers = bindNumbers(backend, inputs.scalars as tf.TensorInfo, inputs.gradientScale);
  const all = Array.from({ length: count }, (_, i) => i).filter((i) => sizeOf(inputs[`parameter${i}`]!) > 0);
  for (const trusted of [true, false]) {
    const indices = all.filter((i) => (trustCoefficients[i] !== 0) === trusted);
    const roles = momentum === 0 ? 2 : 3;
    const perDispatch = Math.floor((backend.device.limits.maxStorageBuffersPerShaderStage - (trusted ? 1 : 0)) / roles);
    for (let first = 0; first < indices.length; first += perDispatch) {
      updateSome(backend, indices.slice(first, first + perDispatch), inputs, numbers, attributes, trusted);
    }
  }
  return [];
});

function updateSome(
  backend: GpuBackend,
  indices: readonly number[],
  inputs: Tensors,
  numbers: Binding,
  { momentum, nesterov, flavour, weightDecays, trustCoefficients }: OpKernels['MomentumUpdate']['attributes'],
  trusted: boolean,
): void {
  const variant: MomentumVariant = {
    ...{ count: indices.length, momentum, nesterov, flavour, trusted, scaled: inputs.gradientScale !== undefined },
  };
  const sizes = indices.map((i) => sizeOf(inputs[`parameter${i}`] as tf.TensorInfo));
  const blocks = blocksOf(sizes, THREADS * PER_THREAD);
  const tensors = (roles: readonly string[], access: 'read' | 'read_write') =>
    indices.flatMap((i, slot): Binding[] =>
      roles.map((role) => ({ name: `${role}${slot}`, from: inputs[`${role}${i}`] as tf.TensorInfo, access })),
    );
  const common = {
    uniforms: Object.fromEntries(
      indices.flatMap((i, slot) => [
        [`size${slot}`, u32(sizes[slot] as number)],
        [`weightDecay${slot}`, f32(weightDecays[i] as number)],
        [`trustCoefficient${slot}`, f32(trustCoefficients[i] as number)],
      ]),
    ),
    workgroups: workgroupGrid(backend, blocks),
  };
  const velocity = momentum === 0 ? [] : ['velocity'];
  const update = (partials: Binding[]) =>
    dispatch(backend, {
      key: `MomentumUpdate ${Object.values(variant)}`,
      bindings: [
        ...tensors(['parameter', ...velocity], 'read_write'),
        ...tensors(['gradient'], 'read'),
        ...partials,
        numbers,
      ],
      code: () => updateCode(variant, THREADS, PER_THREAD),
      ...common,
    });
  if (!trusted) {
    update([]);
    return;
  }
  backend.withScratch([blocks, 2], (from) => {
    const partials = { name: 'partials', type: 'array<vec2f>', from };
    dispatch(backend, {
      key: `MomentumNorms ${Object.values(variant)}`,
      bindings: [
        ...tensors(['parameter', 'gradient', ...velocity], 'read'),
        { ...partials, access: 'read_write' },
        numbers,
      ],
      code: () => normsCode(variant, THREADS, PER_THREAD),
      ...common,
    });
    update([partials]);
  });
}

/** SGD and LARS. */
export const momentumKernels: readonly GpuKernel[] = [momentumUpdate];
