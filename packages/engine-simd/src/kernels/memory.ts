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

/** A slice that is one stretch of memory: rows of the first axis that is longer than 1. */
const slice = defineKernel<'x', { begin: number[]; size: number[] }>(
  'Slice',
  ({ inputs: { x }, attributes, backend }) => {
    const [begin, size] = tf.slice_util.parseSliceParams(x as tf.Tensor, attributes.begin, attributes.size) as [
      number[],
      number[],
    ];
    tf.slice_util.assertParamsValid(x as tf.Tensor, begin, size);
    if (!areFloat(x) || !tf.slice_util.isSliceContinous(x.shape, begin, size)) return null;
    const { info, address } = backend.output(size);
    const offset = tf.slice_util.computeFlatOffset(begin, tf.util.computeStrides(x.shape));
    const n = sizeOf(info);
    backend.runtime.floats(address, n).set((backend.values(x) as Float32Array).subarray(offset, offset + n));
    return info;
  },
);

/** Concatenation along the first axis that is longer than 1. */
const concat = defineKernel<string, { axis: number }>('Concat', ({ inputs, attributes: { axis }, backend }) => {
  const tensors = Object.values(inputs) as [tf.TensorInfo, ...tf.TensorInfo[]];
  const along = tf.util.parseAxisParam(axis, tensors[0].shape)[0] as number;
  tf.backend_util.assertParamsConsistent(
    tensors.map((t) => t.shape),
    along,
  );
  if (!areFloat(...tensors) || tf.util.sizeFromShape(tensors[0].shape.slice(0, along)) !== 1) return null;
  const { info, address } = backend.output(
    tf.backend_util.computeOutShape(
      tensors.map((t) => t.shape),
      along,
    ),
  );
  const target = backend.runtime.floats(address, sizeOf(info));
  let at = 0;
  for (const tensor of tensors) {
    target.set(backend.values(tensor) as Float32Array, at);
    at += sizeOf(tensor);
  }
  return info;
});

/** Kernels that move or make values and compute nothing. */
export const memoryKernels: readonly SimdKernel[] = [
  cast,
  fill,
  filled('ZerosLike', 0),
  filled('OnesLike', 1),
  slice,
  concat,
];
