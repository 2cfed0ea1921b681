import * as tf from '@tensorflow/tfjs-core';
import { mapFours } from '../map-fours.ts';
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
  mapFours(backend, 'AddHalves', { a, b }, sum, (memory) => `${memory.load('a', 'i')} + ${memory.load('b', 'i')}`);
  return sum;
});

export const addKernels: readonly GpuKernel[] = [add];
