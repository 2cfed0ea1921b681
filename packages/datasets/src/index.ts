export { type BalancedSampleOptions, balancedSample } from './balanced-sample.ts';
export { type Batch, type BatchesOptions, batches, stepsPerEpoch } from './batches.ts';
export { defaultCacheFolder } from './cache-folder.ts';
export { type DecodedPixels, type DecodeImagesOptions, decodeImages } from './decode-images.ts';
export type { DecodingOptions } from './decoded-dataset.ts';
export {
  type DownloadProgress,
  type DownloadTinyImagenetOptions,
  downloadTinyImagenet,
  tinyImagenetUrl,
} from './download-tiny-imagenet.ts';
export { type EpochOrderOptions, epochOrder } from './epoch-order.ts';
export { type FindTinyImagenetOptions, findTinyImagenet } from './find-tiny-imagenet.ts';
export { type GeneratedImagesOptions, generatedImages } from './generated-images.ts';
export type { DatasetProgress, ImageDataset, SkippedImage } from './image-dataset.ts';
export { type ImageFolderOptions, imageFolder } from './image-folder.ts';
export { type ImagePixels, type ImagesInMemoryOptions, imagesInMemory } from './images-in-memory.ts';
export { isTinyImagenet } from './is-tiny-imagenet.ts';

export { type TinyImagenetOptions, tinyImagenet } from './tiny-imagenet.ts';
