import type * as tf from '@tensorflow/tfjs-core';
import type { OpKernels } from '@tfjs-ssl/ops';
import type { Attributes } from '../attributes.ts';
import type { Handle, OpAttribute } from '../node-backend.ts';
import type { TensorStore } from '../tensor-store.ts';

/** What a kernel is given. */
export interface KernelCall<Inputs extends string, Options> {
  readonly inputs: Readonly<Record<Inputs, tf.TensorInfo>>;
  readonly options: Options;
  readonly store: TensorStore;
  /** Makes attributes of ops. */
  readonly attribute: Attributes;
  /** Runs an op of TensorFlow with one output on handles. */
  run(name: string, attributes: readonly OpAttribute[], inputs: readonly number[]): Handle;
  /** Runs an op of TensorFlow with any number of outputs on handles. */
  runMany(name: string, attributes: readonly OpAttribute[], inputs: readonly number[], outputs: number): Handle[];
}

/** A kernel of this engine before it knows its backend. */
export interface Kernel {
  readonly kernelName: string;
  /**
   * Makes the function that TensorFlow.js calls.
   *
   * @param store - the tensors of the backend in use.
   * @param stock - tfjs-node's own kernel of that name, which does what this one does not cover.
   */
  bind(store: () => TensorStore, stock: tf.KernelFunc | undefined): tf.KernelFunc;
}

/**
 * Describes a kernel.
 *
 * @typeParam Inputs - names of its input tensors.
 * @typeParam Options - its attributes in TensorFlow.js.
 * @param kernelName - name in TensorFlow.js or `@tfjs-ssl/ops`.
 * @param compute - computes it; returns null for what it does not cover, which tfjs-node's own kernel then does.
 */
export function defineKernel<Inputs extends string, Options = unknown>(
  kernelName: string,
  compute: (call: KernelCall<Inputs, Options>) => tf.TensorInfo | tf.TensorInfo[] | null,
): Kernel {
  return {
    kernelName,
    bind: (current, stock) => (call) => {
      const store = current();
      const { binding } = store.backend;
      const result = compute({
        inputs: call.inputs as KernelCall<Inputs, Options>['inputs'],
        options: call.attrs as Options,
        store,
        attribute: store.attributes,
        run: (name, attributes, inputs) => binding.executeOp(name, attributes, inputs, 1)[0] as Handle,
        runMany: (name, attributes, inputs, outputs) => binding.executeOp(name, attributes, inputs, outputs),
      });
      if (result !== null) return result;
      if (!stock) {
        throw new Error(
          `engine-tensorflow: the kernel ${kernelName} cannot take these inputs, and tfjs-node has no kernel of that name. Pass float32 tensors.`,
        );
      }
      return stock(call);
    },
  };
}

/** Describes a kernel of an op of `@tfjs-ssl/ops`, whose contract names its inputs and attributes; see {@link defineKernel}. */
export function defineOpKernel<Name extends keyof OpKernels>(
  kernelName: Name,
  compute: Parameters<typeof defineKernel<OpKernels[Name]['inputs'], OpKernels[Name]['attributes']>>[1],
): Kernel {
  return defineKernel(kernelName, compute);
}

/** Whether all tensors are float32. */
export function areFloat(...tensors: readonly tf.TensorInfo[]): boolean {
  return tensors.every(({ dtype }) => dtype === 'float32');
}
