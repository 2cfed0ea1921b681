export {
  encodeWeights,
  type LoadedWeights,
  type LoadWeightsOptions,
  loadWeights,
  type Models,
  type NamedWeights,
  namedWeights,
  readWeights,
  type StochasticDepthKey,
  saveWeights,
  stochasticDepthShape,
  stochasticDepthTable,
  type TypedModel,
} from '@tfjs-ssl/layers';
export { type EfficientNetName, type EfficientNetScale, efficientNets } from './architecture-table.ts';
export {
  efficientnetB0,
  efficientnetB1,
  efficientnetB2,
  efficientnetB3,
  efficientnetB4,
} from './architectures.ts';
export type { EfficientNetOptions } from './efficientnet.ts';
export { type LoadEfficientNetOptions, loadEfficientNet } from './load-efficientnet.ts';
