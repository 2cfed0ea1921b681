import { adamKernels } from './adam.ts';
import { batchNormKernels } from './batch-norm.ts';
import { convolutionKernels } from './convolution.ts';
import type { Kernel } from './kernel.ts';
import { momentumKernels } from './momentum.ts';
import { poolingKernels } from './pooling.ts';

/** All kernels that this engine has itself; everything else is tfjs-node's. */
export const kernels: readonly Kernel[] = [
  ...convolutionKernels,
  ...batchNormKernels,
  ...poolingKernels,
  ...adamKernels,
  ...momentumKernels,
];
