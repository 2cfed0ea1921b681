import './register-gradients.ts';

export { type AdamUpdateOptions, adamUpdate } from './adam-update.ts';
export { allFinite } from './all-finite.ts';
export {
  type AugmentImagesOptions,
  type AugmentStage,
  augmentImages,
  augmentStageColumns,
} from './augment-images.ts';
export { augmentPackedImages, unpackImages } from './augment-packed-images.ts';
export { registerAveragePoolGradients } from './average-pool-gradient.ts';
export {
  type BatchNormEvaluateOptions,
  type BatchNormStatistics,
  batchNormEvaluate,
} from './batch-norm-evaluate.ts';
export {
  type BatchNormTrainOptions,
  type BatchNormTrainResult,
  batchNormTrain,
  type RunningStatistics,
} from './batch-norm-train.ts';
export { checkSameOnRanks } from './check-same-on-ranks.ts';
export {
  type ConvolutionAttributes,
  type ConvolutionGeometry,
  convolutionGeometry,
  geometryKey,
} from './convolution-geometry.ts';
export { emaUpdate } from './ema-update.ts';
export type {
  CapturedStep,
  EngineAvailability,
  EngineDescription,
  EngineModule,
  EngineOptions,
  Precision,
  StepFunction,
  StepInputs,
} from './engine-module.ts';
export { type GatherViewsOptions, gatherViews } from './gather-views.ts';
export { globalAveragePool } from './global-average-pool.ts';
export type { GradientScale } from './gradient-scale.ts';
export { hasKernel } from './has-kernel.ts';
export { imageTensor } from './image-tensor.ts';
export { type MomentumFlavour, type MomentumUpdateOptions, momentumUpdate } from './momentum-update.ts';
export { type NtXentOptions, type NtXentResult, ntXentWithRanks } from './nt-xent.ts';
export {
  type ImageSource,
  keepsImages,
  type PackedImages,
  packedWords,
  packImages,
  type ReserveImagesAttributes,
  type UploadImagesOptions,
  uploadImages,
} from './packed-images.ts';
export { pairLogits, pairRanks } from './pair-logits.ts';
export { rowCrossEntropy } from './row-cross-entropy.ts';
export { stopGradient } from './stop-gradient.ts';
export { unitRows } from './unit-rows.ts';
export {
  acrossRanks,
  type BatchStatistics,
  type ExchangedArray,
  type RanksInStep,
  ranksInStep,
  showRanks,
  type World,
} from './world.ts';
