export { engine, type SimdEngine, type SimdEngineOptions } from './engine.ts';
export { measurePeak } from './measure-peak.ts';
