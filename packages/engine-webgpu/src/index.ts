export type { GpuCapturedStep } from './capture/captured-step.ts';
export type { RecordingSize } from './capture/record-step.ts';
export { type WebgpuEngine, type WebgpuEngineOptions, webgpuEngine } from './engine.ts';
export type { KernelGroup, StepPhase } from './profile/kernel-groups.ts';
export type { ProfileBy, ProfiledDispatch, StepProfile, TimedPass } from './profile/step-profiler.ts';
