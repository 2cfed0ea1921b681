export { engine, type WebGpuEngine, type WebGpuEngineOptions } from './engine.ts';
