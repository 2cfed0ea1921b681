export { type MlpHeadOptions, mlpHead } from './mlp-head.ts';
export { baselineHead, type HeadPresetOptions, simclrHead, simclrV2Head, slimHead } from './presets.ts';
