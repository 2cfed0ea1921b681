import * as tf from '@tensorflow/tfjs-core';
import type { OpKernels } from '@tfjs-ssl/ops';
import type { GpuBackend } from '../backend.ts';

/** What a kernel is given. */
export interface KernelCall<Inputs extends string, Attributes> {
  readonly inputs: Readonly<Record<Inputs, tf.TensorInfo>>;
  readonly attributes: Attributes;
  readonly backend: GpuBackend;
}

/** A kernel of this engine, as TensorFlow.js registers it. */
export interface GpuKernel {
  readonly kernelName: string;
  /**
   * Makes the function that is registered.
   *
   * @param stock - TensorFlow.js's own kernel of that name for the webgpu backend, if there is one.
   */
  bind(stock: tf.KernelFunc | undefined): tf.KernelFunc;
}

/**
 * Describes a kernel.
 *
 * @typeParam Inputs - names of its input tensors.
 * @typeParam Attributes - its attributes.
 * @param kernelName - name in TensorFlow.js or `@tfjs-ssl/ops`.
 * @param compute - records its dispatches and returns its outputs; null for what it does not cover, which the stock kernel then does.
 */
export function defineKernel<Inputs extends string, Attributes = unknown>(
  kernelName: string,
  compute: (call: KernelCall<Inputs, Attributes>) => tf.TensorInfo | tf.TensorInfo[] | null,
): GpuKernel {
  return {
    kernelName,
    bind: (stock) => (call) => {
      const { inputs, attrs, backend } = call as typeof call & { backend: GpuBackend };
      const result = compute({
        inputs: inputs as KernelCall<Inputs, Attributes>['inputs'],
        attributes: attrs as Attributes,
        backend,
      });
      if (result !== null) return result;
      if (stock) return stock(call);
      throw new Error(
        `engine-webgpu: the kernel ${kernelName} cannot take these inputs, and TensorFlow.js has no kernel of that name for WebGPU. Pass float32 tensors.`,
      );
    },
  };
}

/** Describes a kernel of an op of `@tfjs-ssl/ops`, whose contract names its inputs and attributes; see {@link defineKernel}. */
export function defineOpKernel<Name extends keyof OpKernels>(
  kernelName: Name,
  compute: Parameters<typeof defineKernel<OpKernels[Name]['inputs'], OpKernels[Name]['attributes']>>[1],
): GpuKernel {
  return defineKernel(kernelName, compute);
}

/** Registers kernels for the backend `webgpu`, once, over TensorFlow.js's own where there are any. */
export function registerKernels(kernels: readonly GpuKernel[]): void {
  for (const kernel of kernels) {
    if (registered.has(kernel)) continue;
    registered.add(kernel);
    const { kernelName } = kernel;
    const stock = tf.getKernel(kernelName, 'webgpu');
    if (stock) tf.unregisterKernel(kernelName, 'webgpu');
    tf.registerKernel({ ...stock, kernelName, backendName: 'webgpu', kernelFunc: kernel.bind(stock?.kernelFunc) });
  }
}

const registered = new WeakSet<GpuKernel>();

/** Whether all tensors are float32. */
export function areFloat(...tensors: readonly tf.TensorInfo[]): boolean {
  return tensors.every(({ dtype }) => dtype === 'float32');
}

/** Number of elements. */
export function sizeOf(tensor: { shape: readonly number[] }): number {
  let size = 1;
  for (const length of tensor.shape) size *= length;
  return size;
}

/** Another tensor of the same elements: for a kernel whose output is its input. */
export function sameData(backend: GpuBackend, { dataId, shape, dtype }: tf.TensorInfo): tf.TensorInfo {
  backend.incRef(dataId);
  return { dataId, shape, dtype };
}
