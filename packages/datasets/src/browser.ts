// What works in browsers: the entry that a bundler takes for a page. The rest reads files and decodes on Node's worker threads.
export { type Batch, type BatchesOptions, batches, stepsPerEpoch } from './batches.ts';
export { type EpochOrderOptions, epochOrder } from './epoch-order.ts';
export { type GeneratedImagesOptions, generatedImages } from './generated-images.ts';
export type { DatasetProgress, ImageDataset, SkippedImage } from './image-dataset.ts';
export { type ImagePixels, type ImagesInMemoryOptions, imagesInMemory } from './images-in-memory.ts';
