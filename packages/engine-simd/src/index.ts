export { type SimdEngine, simdEngine } from './engine.ts';
export type { SimdEngineOptions } from './options.ts';
