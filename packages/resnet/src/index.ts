export {
  encodeWeights,
  type LoadedWeights,
  type LoadWeightsOptions,
  loadWeights,
  type Models,
  type NamedWeights,
  namedWeights,
  saveWeights,
  type TypedModel,
} from '@tfjs-ssl/layers';
export { resnet18, resnet34, resnet50, resnet101, resnet152 } from './architectures.ts';
export type { ResNetOptions } from './resnet.ts';
