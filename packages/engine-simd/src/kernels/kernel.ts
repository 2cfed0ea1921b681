import * as tf from '@tensorflow/tfjs-core';
import type { OpKernels } from '@tfjs-ssl/ops';
import type { SimdBackend } from '../backend.ts';

/** What a kernel is given. */
export interface KernelCall<Inputs extends string, Attributes> {
  readonly inputs: Readonly<Record<Inputs, tf.TensorInfo>>;
  readonly attributes: Attributes;
  readonly backend: SimdBackend;
}

/** A kernel of this engine, as TensorFlow.js registers it. */
export interface SimdKernel {
  readonly kernelName: string;
  readonly kernelFunc: tf.KernelFunc;
}

/**
 * Describes a kernel.
 *
 * @typeParam Inputs - names of its input tensors.
 * @typeParam Attributes - its attributes.
 * @param kernelName - name in TensorFlow.js or `@tfjs-ssl/ops`.
 * @param compute - computes it; returns null for what it does not cover, which the stock cpu kernel then does.
 */
export function defineKernel<Inputs extends string, Attributes = unknown>(
  kernelName: string,
  compute: (call: KernelCall<Inputs, Attributes>) => tf.TensorInfo | tf.TensorInfo[] | null,
): SimdKernel {
  const kernelFunc: tf.KernelFunc = (call) => {
    const { inputs, attrs, backend } = call as typeof call & { backend: SimdBackend };
    const result = compute({
      inputs: inputs as KernelCall<Inputs, Attributes>['inputs'],
      attributes: attrs as Attributes,
      backend,
    });
    if (result !== null) return result;
    const stock = tf.getKernel(kernelName, 'cpu')?.kernelFunc;
    if (!stock)
      throw new Error(
        `engine-simd: the kernel ${kernelName} cannot take these inputs, and the cpu backend has no kernel of that name. Pass float32 tensors.`,
      );
    return stock(call);
  };
  return { kernelName, kernelFunc };
}

/** Describes a kernel of an op of `@tfjs-ssl/ops`, whose contract names its inputs and attributes; see {@link defineKernel}. */
export function defineOpKernel<Name extends keyof OpKernels>(
  kernelName: Name,
  compute: Parameters<typeof defineKernel<OpKernels[Name]['inputs'], OpKernels[Name]['attributes']>>[1],
): SimdKernel {
  return defineKernel(kernelName, compute);
}

/** Number of elements. */
export function sizeOf(tensor: { shape: readonly number[] }): number {
  let size = 1;
  for (const length of tensor.shape) size *= length;
  return size;
}

/** Whether all tensors are float32. */
export function areFloat(...tensors: readonly tf.TensorInfo[]): boolean {
  return tensors.every(({ dtype }) => dtype === 'float32');
}

/** a / b, rounded up. */
export function ceilDiv(a: number, b: number): number {
  return Math.ceil(a / b);
}
