// All kernels of this engine. One more is registered by one more line here.
import { adamKernels } from './adam.ts';
import type { GpuKernel } from './kernel.ts';

export const kernels: readonly GpuKernel[] = [...adamKernels];
