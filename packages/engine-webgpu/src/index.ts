export type { GpuCapturedStep } from './capture/captured-step.ts';
export type { RecordingSize } from './capture/record-step.ts';
export { engine, type WebGpuEngine, type WebGpuEngineOptions } from './engine.ts';
export { type Candidate, convolutionCandidates, type MeasuredConvolution } from './product/candidates.ts';
export { type GpuPeaks, measurePeaks, type PeakDevice } from './roofline/measure-peaks.ts';
