import * as tf from '@tensorflow/tfjs-core';
import type { Output, SimdBackend } from '../backend.ts';
import { binary, unary } from './elementwise.ts';
import { areFloat, sizeOf } from './kernel.ts';

/** Inputs of TensorFlow.js's fused kernels that follow the product. */
export type EpilogueInput = 'bias' | 'preluActivationWeights';

/** Attributes of TensorFlow.js's fused kernels that follow the product. */
export interface EpilogueAttributes {
  readonly activation?: 'linear' | 'relu' | 'relu6' | 'elu' | 'sigmoid' | 'leakyrelu' | 'prelu';
  readonly leakyreluAlpha?: number;
}

type EpilogueInputs = Readonly<Partial<Record<EpilogueInput, tf.TensorInfo>>>;

/** Whether {@link finish} can take these inputs. */
export function canFinish({ bias, preluActivationWeights: slopes }: EpilogueInputs): boolean {
  return areFloat(...[bias, slopes].filter((tensor) => tensor !== undefined && tensor !== null));
}

/** Adds the bias and applies the activation of a fused kernel to its product, which is used up. */
export function finish(
  backend: SimdBackend,
  { info, address }: Output,
  { bias, preluActivationWeights: slopes }: EpilogueInputs,
  { activation = 'linear', leakyreluAlpha: alpha }: EpilogueAttributes,
): tf.TensorInfo {
  const { runtime } = backend;
  const { shape } = info;
  if (bias)
    binary(runtime, 'Add', { address, shape }, { address: backend.address(bias), shape: bias.shape }, address, shape);
  const kernel = (kernelName: string, inputs: tf.NamedTensorInfoMap, attrs: tf.NamedAttrMap = {}): tf.TensorInfo => {
    const result = tf.getKernel(kernelName, 'simd').kernelFunc({ inputs, attrs, backend }) as tf.TensorInfo;
    backend.disposeIntermediateTensorInfo(info);
    return result;
  };
  switch (activation) {
    case 'linear':
      return info;
    case 'relu':
      unary(runtime, 'Relu', address, address, sizeOf(info));
      return info;
    case 'relu6':
      unary(runtime, 'Relu6', address, address, sizeOf(info));
      return info;
    case 'sigmoid':
      unary(runtime, 'Sigmoid', address, address, sizeOf(info));
      return info;
    case 'elu':
      return kernel('Elu', { x: info });
    case 'leakyrelu':
      return kernel('LeakyRelu', { x: info }, { alpha: alpha ?? 0.2 });
    case 'prelu':
      return kernel('Prelu', { x: info, alpha: slopes as tf.TensorInfo });
    default:
      throw new Error(`engine-simd: a fused kernel has no activation '${activation}'. Apply it as an op of its own.`);
  }
}
