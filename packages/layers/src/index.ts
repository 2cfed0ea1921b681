export { stopGradient } from '@tfjs-ssl/ops';
export { type BatchNormOptions, batchNorm } from './batch-norm.ts';
export { copyOf } from './branches/copy-of.ts';
export { type FeatureQueue, type FeatureQueueOptions, featureQueue } from './branches/feature-queue.ts';
export { type MovingAverage, type MovingAverageOptions, movingAverage } from './branches/moving-average.ts';
export { type Conv2dOptions, conv2d } from './conv2d.ts';
export { type DepthwiseConv2dOptions, depthwiseConv2d } from './depthwise-conv2d.ts';
export { type GlobalAveragePoolOptions, globalAveragePool } from './global-average-pool.ts';
export { type LinearOptions, linear } from './linear.ts';
export { type MaxPool2dOptions, maxPool2d } from './max-pool2d.ts';
export { type SqueezeExciteOptions, squeezeExcite } from './squeeze-excite.ts';
export { type StochasticDepthOptions, stochasticDepth } from './stochastic-depth.ts';
export {
  type StochasticDepthKey,
  stochasticDepthShape,
  stochasticDepthTable,
} from './stochastic-depth-table.ts';
export type { CallOptions, TensorLayer, TrainingOption } from './torch-layer.ts';
export { type TypedModel, typedModel } from './typed-model.ts';
export { type UnitLengthOptions, unitLength } from './unit-length.ts';
export { type WeightNormLinearOptions, weightNormLinear } from './weight-norm-linear.ts';
export type { LoadedWeights } from './weights/check-weights.ts';
export { encodeWeights } from './weights/encode-weights.ts';
export { type LoadWeightsOptions, loadWeights } from './weights/load-weights.ts';
export { type Models, type NamedWeights, namedWeights } from './weights/named-weights.ts';
export { type ReadWeightsOptions, readWeights, type WeightsFile, type WeightsSource } from './weights/read-weights.ts';
export type { WeightNames } from './weights/rename-weights.ts';
export { saveWeights } from './weights/save-weights.ts';
export { type WeightsPrefixOptions, weightsPrefix } from './weights/weights-prefix.ts';
