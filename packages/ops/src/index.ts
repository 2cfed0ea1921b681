export { type AdamUpdateOptions, adamUpdate } from './adam-update.ts';
export {
  type AugmentImagesOptions,
  type AugmentStage,
  augmentImages,
  augmentStageColumns,
} from './augment-images.ts';
export { augmentPackedImages, unpackImages } from './augment-packed-images.ts';
export { type BatchNormTrainOptions, type BatchNormTrainResult, batchNormTrain } from './batch-norm-train.ts';
export type {
  EngineAvailability,
  EngineDescription,
  EngineModule,
  EngineOptions,
  Precision,
} from './engine-module.ts';
export { globalAveragePool } from './global-average-pool.ts';
export { hasKernel } from './has-kernel.ts';
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
