// The table from task numbers to code. To add a kernel: a number in `src/task-ids.ts`, a file here that exports
// `xTask(job, index, scratch)`, and its line below.
import * as id from '../src/task-ids';
import { adamTask } from './adam';
import { augmentTask } from './augment';
import { averagePoolGradientTask, averagePoolTask } from './average-pool';
import {
  batchNormApplyTask,
  batchNormGradientApplyTask,
  batchNormGradientSumsTask,
  batchNormStatisticsTask,
} from './batch-norm';
import { batchNormSiluApplyTask, batchNormSiluGradientSumsTask } from './batch-norm-silu';
import { convolutionTask } from './convolution';
import { depthwiseFilterGradientTask, depthwiseInputGradientTask, depthwiseTask } from './depthwise';
import { binaryTask, unaryTask } from './elementwise';
import { emaTask } from './ema';
import { filterGradientTask } from './filter-gradient';
import { channelDotsTask, scaleChannelsTask } from './gate';
import { ntXentGradientTask, ntXentTask, pairLogitsTask, unitRowsTask } from './nt-xent';
import { momentumSumsTask, momentumTask } from './momentum';
import { multiplyAddsTask } from './multiply-adds';
import { packWeightsTask, packWeightsTransposedTask, padImagesTask } from './packing';
import { globalAveragePoolGradientTask, maxPoolGradientTask, maxPoolTask } from './pooling';
import { reduceTask } from './reduce';
import { stridedCopyTask } from './strided-copy';
import { transposeTask } from './transpose';
import { winogradBlocksTask, winogradInputTask, winogradPanelsTask } from './winograd';
import { winogradGradientPartsTask, winogradGradientTask, winogradPairsTask } from './winograd-gradient';
import { winogradWeightsTask } from './winograd-weights';

/** Runs task `index` of a job; `scratch` is 1 MiB that belongs to the thread. */
export function runTask(job: usize, index: i32, scratch: usize): void {
  switch (load<i32>(job)) {
    case id.CONVOLUTION: convolutionTask(job, index, scratch); break;
    case id.FILTER_GRADIENT: filterGradientTask(job, index, scratch); break;
    case id.PACK_WEIGHTS: packWeightsTask(job, index); break;
    case id.PACK_WEIGHTS_TRANSPOSED: packWeightsTransposedTask(job, index); break;
    case id.WINOGRAD_BLOCKS: winogradBlocksTask(job, index, scratch); break;
    case id.WINOGRAD_WEIGHTS: winogradWeightsTask(job, index, scratch); break;
    case id.PAD_IMAGES: padImagesTask(job, index); break;
    case id.BATCH_NORM_STATISTICS: batchNormStatisticsTask(job, index, scratch); break;
    case id.BATCH_NORM_APPLY: batchNormApplyTask(job, index); break;
    case id.BATCH_NORM_GRADIENT_SUMS: batchNormGradientSumsTask(job, index, scratch); break;
    case id.BATCH_NORM_GRADIENT_APPLY: batchNormGradientApplyTask(job, index); break;
    case id.ADAM: adamTask(job, index); break;
    case id.UNARY: unaryTask(job, index); break;
    case id.BINARY: binaryTask(job, index); break;
    case id.REDUCE: reduceTask(job, index); break;
    case id.TRANSPOSE: transposeTask(job, index); break;
    case id.MAX_POOL: maxPoolTask(job, index, scratch); break;
    case id.MAX_POOL_GRADIENT: maxPoolGradientTask(job, index, scratch); break;
    case id.GLOBAL_AVERAGE_POOL_GRADIENT: globalAveragePoolGradientTask(job, index); break;
    case id.AUGMENT_IMAGES: augmentTask(job, index, scratch); break;
    case id.UNIT_ROWS: unitRowsTask(job, index); break;
    case id.NT_XENT: ntXentTask(job, index, scratch); break;
    case id.NT_XENT_GRADIENT: ntXentGradientTask(job, index, scratch); break;
    case id.MOMENTUM: momentumTask(job, index); break;
    case id.MOMENTUM_SUMS: momentumSumsTask(job, index); break;
    case id.DEPTHWISE: depthwiseTask(job, index); break;
    case id.DEPTHWISE_INPUT_GRADIENT: depthwiseInputGradientTask(job, index); break;
    case id.DEPTHWISE_FILTER_GRADIENT: depthwiseFilterGradientTask(job, index); break;
    case id.AVERAGE_POOL: averagePoolTask(job, index); break;
    case id.AVERAGE_POOL_GRADIENT: averagePoolGradientTask(job, index); break;
    case id.STRIDED_COPY: stridedCopyTask(job, index); break;
    case id.MULTIPLY_ADDS: multiplyAddsTask(job, scratch); break;
    case id.WINOGRAD_GRADIENT: winogradGradientTask(job, index, scratch); break;
    case id.WINOGRAD_GRADIENT_PARTS: winogradGradientPartsTask(job, index, scratch); break;
    case id.PAIR_LOGITS: pairLogitsTask(job, index, scratch); break;
    case id.WINOGRAD_PAIRS: winogradPairsTask(job, index, scratch); break;
    case id.WINOGRAD_INPUT: winogradInputTask(job, index, scratch); break;
    case id.WINOGRAD_PANELS: winogradPanelsTask(job, index, scratch); break;
    case id.EMA: emaTask(job, index); break;
    case id.BATCH_NORM_SILU_APPLY: batchNormSiluApplyTask(job, index); break;
    case id.BATCH_NORM_SILU_GRADIENT_SUMS: batchNormSiluGradientSumsTask(job, index); break;
    case id.SCALE_CHANNELS: scaleChannelsTask(job, index); break;
    case id.CHANNEL_DOTS: channelDotsTask(job, index); break;
    default: unreachable();
  }
}
