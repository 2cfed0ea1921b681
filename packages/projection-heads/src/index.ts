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
} from '@tfjs-ssl/layers';
export { type LoadHeadOptions, loadHead } from './load-head.ts';
export { type MlpHeadOptions, mlpHead } from './mlp-head.ts';
export { type HeadPresetOptions, simclrHead, simclrV2Head } from './presets.ts';
