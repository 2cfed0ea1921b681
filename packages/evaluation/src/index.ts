export { alignment, type UniformityOptions, uniformity } from './alignment-uniformity.ts';
export { type ChooseProbeOptions, type ChosenProbe, chooseProbe } from './choose-probe.ts';
export { type CollapseSigns, type CollapseSignsOptions, collapseSigns } from './collapse-signs.ts';
export { type ConfusedPair, type Confusion, type ConfusionOptions, confusion } from './confusion.ts';
export { effectiveRank } from './effective-rank.ts';
export {
  type Encoder,
  type EncoderModel,
  type ExtractFeaturesOptions,
  extractFeatures,
  type ImageSource,
} from './extract-features.ts';
export { featureDeviation } from './feature-deviation.ts';
export {
  type KnnEvaluateOptions,
  type KnnEvaluation,
  type KnnOptions,
  type KnnResult,
  knnAccuracy,
  knnClassify,
  knnEvaluate,
} from './knn.ts';
export { type LinearClassifier, type LinearProbe, type LinearProbeOptions, linearProbe } from './linear-probe.ts';
export { type OnlineProbe, type OnlineProbeOptions, onlineProbe } from './online-probe.ts';
export { type ProbeEvaluateOptions, probeAccuracy, probeEvaluate } from './probe-evaluate.ts';
export type { ClassificationResult } from './rank-tally.ts';
export { type SgdProbe, type SgdProbeOptions, sgdProbe } from './sgd-probe.ts';
