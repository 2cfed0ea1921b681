import { defineKernel, type GpuKernel } from './kernel.ts';

/** Sums; one with a gradient that has not been computed yet is part of its computation, as where a residual branch joins. */
export const addKernels: readonly GpuKernel[] = [
  defineKernel<'a' | 'b'>('Add', ({ inputs: { a, b }, backend }) => backend.addLater(a, b)),
];
