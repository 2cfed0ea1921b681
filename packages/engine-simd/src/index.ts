export { type SimdEngine, simdEngine } from './engine.ts';
export { measurePeak } from './measure-peak.ts';
export type { SimdEngineOptions } from './options.ts';
