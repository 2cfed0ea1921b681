export { engine, type SimdEngine } from './engine.ts';
export { measurePeak } from './measure-peak.ts';
export type { SimdEngineOptions } from './options.ts';
