import * as tf from '@tensorflow/tfjs-core';
import type { GpuBackend } from '../backend.ts';
import { mapElements } from '../map-elements.ts';
import { defineKernel, type GpuKernel } from './kernel.ts';

/**
 * Sums; one with a gradient that has not been computed yet is part of its computation, as where a residual branch joins. What lies as float16
 * is added here, all else by the stock kernel.
 */
const add = defineKernel<'a' | 'b'>('Add', ({ inputs: { a, b }, backend }) => {
  const together = backend.addLater(a, b);
  if (together) return together;
  if (!tf.util.arraysEqual(a.shape, b.shape) || !backend.storesHalf(a.shape, a, b)) return null;
  const sum = backend.output(a.shape, { half: true });
  mapElements(
    backend,
    'AddHalves',
    { a, b },
    sum,
    ({ memory }) => `${memory.load('a', 'i')} + ${memory.load('b', 'i')}`,
  );
  return sum;
});

/** Sums of many tensors: TensorFlow.js's kernel binds all of them at once, so it is given as many as the device binds, and its sum with the next ones. */
const addMany: GpuKernel = {
  kernelName: 'AddN',
  bind: (stock) => (call) => {
    const backend = call.backend as GpuBackend;
    const tensors = call.inputs as unknown as readonly tf.TensorInfo[];
    const addSome = (some: readonly tf.TensorInfo[]) =>
      (stock as tf.KernelFunc)({ ...call, inputs: some as unknown as tf.NamedTensorInfoMap }) as tf.TensorInfo;
    const most = backend.device.limits.maxStorageBuffersPerShaderStage - 1;
    let sum = addSome(tensors.slice(0, most));
    for (let next = most; next < tensors.length; next += most - 1) {
      const before = sum;
      sum = addSome([before, ...tensors.slice(next, next + most - 1)]);
      backend.disposeData(before.dataId);
    }
    return sum;
  },
};

export const addKernels: readonly GpuKernel[] = [add, addMany];
