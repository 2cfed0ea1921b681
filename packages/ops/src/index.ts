import './register-gradients.ts';

export { adamUpdate } from './adam-update.ts';
export { allFinite } from './all-finite.ts';
export { augmentImages } from './augment-images.ts';
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
export { type AugmentImagesOptions, type AugmentStage, augmentStageColumns } from './contract/augment-stages.ts';
export {
  type ConvolutionAttributes,
  type ConvolutionGeometry,
  convolutionGeometry,
  geometryKey,
} from './contract/convolution-geometry.ts';
export type {
  CapturedStep,
  EngineAvailability,
  EngineDescription,
  EngineModule,
  EngineOptions,
  Precision,
  StepFunction,
  StepInputs,
} from './contract/engine-module.ts';
export { hasKernel } from './contract/has-kernel.ts';
export type { KernelContract, OpKernels } from './contract/op-kernels.ts';
export { type PackedImages, packedWords, type ReserveImagesAttributes } from './contract/packed-images.ts';
export { type ProductAttributes, type ProductSizes, productSizes } from './contract/product-sizes.ts';
export type {
  AdamUpdateOptions,
  GradientScale,
  MomentumFlavour,
  MomentumUpdateOptions,
} from './contract/updates.ts';
export { emaUpdate } from './ema-update.ts';
export { gatherValues } from './gather-values.ts';
export { type GatherViewsOptions, gatherViews } from './gather-views.ts';
export { globalAveragePool } from './global-average-pool.ts';
export { imageTensor } from './image-tensor.ts';
export { momentumUpdate } from './momentum-update.ts';
export { type NtXentOptions, type NtXentResult, ntXentWithRanks } from './nt-xent.ts';
export {
  type ImageSource,
  keepsImages,
  packImages,
  type UploadImagesOptions,
  uploadImages,
} from './packed-images.ts';
export { pairLogits, pairRanks } from './pair-logits.ts';
export { rowCrossEntropy } from './row-cross-entropy.ts';
export { silu } from './silu.ts';
export { type SqueezeExciteWeights, squeezeExcite } from './squeeze-excite.ts';
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
