export {
  encodeWeights,
  type LoadedWeights,
  type LoadWeightsOptions,
  loadWeights,
  type Models,
  type NamedWeights,
  namedWeights,
  readWeights,
  saveWeights,
  type TypedModel,
} from '@tfjs-ssl/layers';
export { type Architecture, type ArchitectureName, architectures } from './architecture-table.ts';
export { resnet18, resnet34, resnet50, resnet101, resnet152 } from './architectures.ts';
export { type LoadEncoderOptions, loadEncoder } from './load-encoder.ts';
export type { ResNetOptions } from './resnet.ts';
