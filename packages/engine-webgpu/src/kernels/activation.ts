import * as tf from '@tensorflow/tfjs-core';
import type { GpuBackend } from '../backend.ts';
import { dispatch, workgroupGrid } from '../dispatch.ts';
import { u32 } from '../uniform-cache.ts';
import { defineKernel, type GpuKernel, sizeOf } from './kernel.ts';

/** What TensorFlow.js's fused kernels do to their sum. */
export interface Activation {
  readonly activation?: string;
  readonly leakyreluAlpha?: number;
}

/** Kernels of the activations that are not fused into ours. */
const kernelNames: Readonly<Record<string, string>> = {
  relu: 'Relu',
  relu6: 'Relu6',
  elu: 'Elu',
  sigmoid: 'Sigmoid',
  leakyrelu: 'LeakyRelu',
  prelu: 'Prelu',
};

/**
 * Applies an activation by its own kernel.
 *
 * @param x - disposed where the result is another tensor.
 * @throws RangeError for an activation that TensorFlow.js does not have.
 */
export function activate(
  backend: GpuBackend,
  x: tf.TensorInfo,
  { activation = 'linear', leakyreluAlpha = 0.2 }: Activation,
  preluActivationWeights: tf.TensorInfo | undefined,
): tf.TensorInfo {
  if (activation === 'linear') return x;
  const kernel = tf.getKernel(kernelNames[activation] ?? '', 'webgpu');
  if (!kernel) {
    throw new RangeError(
      `engine-webgpu: activation must be one of linear, ${Object.keys(kernelNames).join(', ')}, got '${activation}'. Apply it by itself.`,
    );
  }
  const inputs: tf.NamedTensorInfoMap =
    activation === 'prelu' ? { x, alpha: preluActivationWeights as tf.TensorInfo } : { x };
  const attrs: tf.NamedAttrMap = activation === 'leakyrelu' ? { alpha: leakyreluAlpha } : {};
  const result = kernel.kernelFunc({ inputs, attrs, backend }) as tf.TensorInfo;
  backend.disposeData(x.dataId);
  return result;
}

const THREADS = 256;

/** The rectifier of what lies as float16; all else is left to the stock kernel. */
const relu = defineKernel<'x'>('Relu', ({ inputs: { x }, backend }) => {
  if (!backend.storesHalf(x.shape, x)) return null;
  const output = backend.output(x.shape, { half: true });
  const size = sizeOf(x) / 4;
  dispatch(backend, {
    key: 'ReluHalves',
    bindings: [
      { name: 'x', from: x, value: 'vec4f' },
      { name: 'output', from: output, value: 'vec4f', access: 'read_write' },
    ],
    uniforms: { size: u32(size) },
    code: (memory) => `
  @compute @workgroup_size(${THREADS})
  fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = id.x + id.y * groups.x * ${THREADS};
    if (i < uniforms.size) { ${memory.store('output', 'i', `max(${memory.load('x', 'i')}, vec4f())`)} }
  }`,
    workgroups: workgroupGrid(backend, Math.ceil(size / THREADS)),
  });
  return output;
});

export const activationKernels: readonly GpuKernel[] = [relu];
