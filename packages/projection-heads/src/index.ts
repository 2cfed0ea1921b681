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
export { byolHead, byolPredictor } from './byol-heads.ts';
export { type DINOHeadOptions, dinoHead } from './dino-head.ts';
export { barlowTwinsHead, vicRegHead } from './expanders.ts';
export { type LoadHeadOptions, loadHead } from './load-head.ts';
export { type MlpHeadOptions, mlpHead } from './mlp-head.ts';
export { mocoHead } from './moco-head.ts';
export { type HeadPresetOptions, type SizedHeadOptions, simclrHead, simclrV2Head } from './presets.ts';
export { simsiamHead, simsiamPredictor } from './simsiam-heads.ts';
export { type SwAVPrototypesOptions, swavHead, swavPrototypes, unitPrototypes } from './swav-heads.ts';
