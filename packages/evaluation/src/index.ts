export {
  type Encoder,
  type EncoderModel,
  type ExtractFeaturesOptions,
  extractFeatures,
  type ImageSource,
} from './extract-features.ts';
export { type KnnOptions, type KnnResult, knnAccuracy, knnClassify } from './knn.ts';
export {
  type LinearClassifier,
  type LinearProbe,
  type LinearProbeOptions,
  linearProbe,
  probeAccuracy,
} from './linear-probe.ts';
