import * as tf from '@tensorflow/tfjs-core';
import type { OpKernels } from './op-kernels.ts';

/** Runs a kernel of the current engine, with the inputs, attributes and outputs of its contract. */
export function runKernel<Name extends keyof OpKernels>(
  name: Name,
  inputs: Readonly<Partial<Record<OpKernels[Name]['inputs'], tf.Tensor>>>,
  attributes: OpKernels[Name]['attributes'],
): OpKernels[Name]['outputs'] {
  return tf.engine().runKernel(name, inputs as tf.NamedTensorMap, attributes as unknown as tf.NamedAttrMap);
}
