// All kernels of this engine. One more is registered by one more line here.
import { activationKernels } from './activation.ts';
import { adamKernels } from './adam.ts';
import { addKernels } from './add.ts';
import { finiteKernels } from './all-finite.ts';
import { augmentKernels } from './augment-images.ts';
import { batchNormKernels } from './batch-norm.ts';
import { columnSumKernels } from './column-sum.ts';
import { convolutionKernels } from './convolution.ts';
import { emaKernels } from './ema.ts';
import { integerKernels } from './integers.ts';
import type { GpuKernel } from './kernel.ts';
import { matrixProductKernels } from './matrix-product.ts';
import { momentumKernels } from './momentum.ts';
import { ntXentKernels } from './nt-xent.ts';
import { poolingKernels } from './pooling.ts';
import { residentImageKernels } from './resident-images.ts';

export const kernels: readonly GpuKernel[] = [
  ...activationKernels,
  ...adamKernels,
  ...addKernels,
  ...finiteKernels,
  ...augmentKernels,
  ...batchNormKernels,
  ...columnSumKernels,
  ...convolutionKernels,
  ...emaKernels,
  ...integerKernels,
  ...ntXentKernels,
  ...matrixProductKernels,
  ...momentumKernels,
  ...poolingKernels,
  ...residentImageKernels,
];
