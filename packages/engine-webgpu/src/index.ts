export type { GpuCapturedStep } from './capture/captured-step.ts';
export type { RecordingSize } from './capture/record-step.ts';
export { type WebGpuEngine, type WebGpuEngineOptions, webgpuEngine } from './engine.ts';
export { type Candidate, convolutionCandidates, type MeasuredConvolution } from './product/candidates.ts';
export { type KernelGroup, kernelGroups, type StepPhase, stepPhases } from './profile/kernel-groups.ts';
export { type ProfileRow, phaseMilliseconds, profileRows, profileTable } from './profile/profile-table.ts';
export type { ProfileBy, ProfiledDispatch, StepProfile, TimedPass } from './profile/step-profiler.ts';
export { type GpuPeaks, measurePeaks, type PeakDevice } from './roofline/measure-peaks.ts';
