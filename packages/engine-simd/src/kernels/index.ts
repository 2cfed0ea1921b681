// All kernels of this engine. One more is registered by one more line here.
import { adamKernels } from './adam.ts';
import { augmentKernels } from './augment-images.ts';
import { batchNormKernels } from './batch-norm.ts';
import { batchNormSiluKernels } from './batch-norm-silu.ts';
import { compareKernels } from './compare.ts';
import { convolutionKernels } from './convolution.ts';
import { depthwiseKernels } from './depthwise.ts';
import { elementwiseKernels } from './elementwise.ts';
import { emaKernels } from './ema.ts';
import { gateKernels } from './gate.ts';
import type { SimdKernel } from './kernel.ts';
import { matrixProductKernels } from './matrix-product.ts';
import { memoryKernels } from './memory.ts';
import { momentumKernels } from './momentum.ts';
import { ntXentKernels } from './nt-xent.ts';
import { poolingKernels } from './pooling.ts';
import { reduceKernels } from './reduce.ts';
import { softmaxKernels } from './softmax.ts';
import { stridedCopyKernels } from './strided-copy.ts';

export const kernels: readonly SimdKernel[] = [
  ...adamKernels,
  ...augmentKernels,
  ...batchNormKernels,
  ...batchNormSiluKernels,
  ...compareKernels,
  ...convolutionKernels,
  ...depthwiseKernels,
  ...elementwiseKernels,
  ...emaKernels,
  ...gateKernels,
  ...ntXentKernels,
  ...matrixProductKernels,
  ...memoryKernels,
  ...momentumKernels,
  ...poolingKernels,
  ...reduceKernels,
  ...softmaxKernels,
  ...stridedCopyKernels,
];
