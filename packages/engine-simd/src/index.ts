export { engine, type SimdEngine, type SimdEngineOptions } from './engine.ts';
