import * as tf from '@tensorflow/tfjs-core';
import { areFloat, defineKernel, type SimdKernel, sizeOf } from './kernel.ts';

/**
 * To float32 from int32 and bool: new memory, where the stock kernel would hand on the same values under another type.
 */
const cast = defineKernel<'x', { dtype: tf.DataType }>('Cast', ({ inputs: { x }, attributes: { dtype }, backend }) => {
  if (dtype !== 'float32' || (x.dtype !== 'int32' && x.dtype !== 'bool')) return null;
  const { info, address } = backend.output(x.shape);
  backend.runtime.floats(address, sizeOf(x)).set(backend.values(x) as Int32Array | Uint8Array);
  return info;
});

const fill = defineKernel<never, { shape: number[]; value: number | string; dtype?: tf.DataType }>('Fill', (call) => {
  const { shape, value, dtype = tf.util.inferDtype(call.attributes.value) } = call.attributes;
  if (dtype !== 'float32' || typeof value !== 'number') return null;
  const { info, address } = call.backend.output(shape);
  call.backend.runtime.floats(address, sizeOf(info)).fill(value);
  return info;
});

const filled = (kernelName: string, value: number): SimdKernel =>
  defineKernel<'x'>(kernelName, ({ inputs: { x }, backend }) => {
    if (!areFloat(x)) return null;
    const { info, address } = backend.output(x.shape);
    backend.runtime.floats(address, sizeOf(x)).fill(value);
    return info;
  });

/** Kernels that make values. */
export const memoryKernels: readonly SimdKernel[] = [cast, fill, filled('ZerosLike', 0), filled('OnesLike', 1)];
