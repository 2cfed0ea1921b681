import * as tf from '@tensorflow/tfjs-core';
import { checkChoice } from '@tfjs-ssl/checks';
import type { GpuBackend } from '../backend.ts';
import { type ElementCode, mapElements } from '../map-elements.ts';
import { numbersCode } from '../numbers-code.ts';
import { defineKernel, type GpuKernel } from './kernel.ts';

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
  const known = ['linear', ...Object.keys(kernelNames)];
  checkChoice('engine-webgpu', 'activation', activation, known, 'Apply another one as an op of its own.');
  const kernel = tf.getKernel(kernelNames[activation] as string, 'webgpu') as tf.KernelConfig;
  const inputs: tf.NamedTensorInfoMap =
    activation === 'prelu' ? { x, alpha: preluActivationWeights as tf.TensorInfo } : { x };
  const attrs: tf.NamedAttrMap = activation === 'leakyrelu' ? { alpha: leakyreluAlpha } : {};
  const result = kernel.kernelFunc({ inputs, attrs, backend }) as tf.TensorInfo;
  backend.disposeData(x.dataId);
  return result;
}

/** A rectifier that keeps NaN, as TensorFlow.js's `Relu6` does not, and takes what lies as float16. */
const rectifier = (kernelName: string, expression: (rectified: string, type: string) => string): GpuKernel =>
  defineKernel<'x'>(kernelName, ({ inputs: { x }, backend }) => {
    if (x.dtype !== 'float32') return null;
    const output = backend.output(x.shape, { half: backend.storesHalf(x.shape, x) });
    const value = ({ memory, type }: ElementCode) => expression(`rectified(${memory.load('x', 'i')})`, type);
    mapElements(backend, kernelName, { x }, output, value, numbersCode);
    return output;
  });

export const activationKernels: readonly GpuKernel[] = [
  rectifier('Relu', (rectified) => rectified),
  rectifier('Relu6', (rectified, type) => `smaller(${rectified}, ${type}(6))`),
];
