// What measures the engine: for benchmarks. Training needs none of it.
export { measurePeak } from './measure-peak.ts';
