export { type BatchNormOptions, batchNorm } from './batch-norm.ts';
export { type Conv2dOptions, conv2d } from './conv2d.ts';
export { type GlobalAveragePoolOptions, globalAveragePool } from './global-average-pool.ts';
export { type LinearOptions, linear } from './linear.ts';
export { type MaxPool2dOptions, maxPool2d } from './max-pool2d.ts';
export { encodeWeights } from './weights/encode-weights.ts';
export { type LoadedWeights, type LoadWeightsOptions, loadWeights } from './weights/load-weights.ts';
export { type NamedWeights, namedWeights } from './weights/named-weights.ts';
export { saveWeights } from './weights/save-weights.ts';
