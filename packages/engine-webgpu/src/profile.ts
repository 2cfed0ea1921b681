// What measures the engine: for benchmarks and `--profile-step`. Training needs none of it.
export { type Candidate, convolutionCandidates, type MeasuredConvolution } from './product/candidates.ts';
export { type KernelGroup, kernelGroups, type StepPhase, stepPhases } from './profile/kernel-groups.ts';
export { type ProfileRow, phaseMilliseconds, profileRows, profileTable } from './profile/profile-table.ts';
export { type GpuPeaks, measurePeaks, type PeakDevice } from './roofline/measure-peaks.ts';
