import type { GpuBackend } from '../backend.ts';
import type { PassTimer } from './command-recorder.ts';
import type { Recording } from './recording.ts';

/** Takes the times of replays. */
export interface ReplayTimers {
  /** A timer of one replay; `end` records what comes after its last pass. */
  timerOf(recording: Recording): PassTimer & { end(encoder: GPUCommandEncoder): void };
}

/** What takes the times of a backend's replays; none while nobody asks. */
export const replayTimers: WeakMap<GpuBackend, ReplayTimers> = new WeakMap();
