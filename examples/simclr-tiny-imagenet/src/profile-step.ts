import * as tf from '@tensorflow/tfjs-core';
import type { PeakDevice, StepPhase } from '@tfjs-ssl/engine-webgpu/profile';

/** Replays whose medians count. */
const REPLAYS = 5;

/**
 * Profiles a training step on the engine `webgpu`, which is in use: where its time goes, next to what the device reaches.
 *
 * @param step - runs the step; the same one every time.
 * @returns lines for people: the parts of the step, then its kernels by groups.
 * @throws Error if the device has no timestamps.
 */
export async function profileLines(step: () => Promise<unknown>): Promise<string[]> {
  const { webgpuEngine } = await import('@tfjs-ssl/engine-webgpu');
  const { measurePeaks, phaseMilliseconds, profileRows, profileTable } = await import(
    '@tfjs-ssl/engine-webgpu/profile'
  );
  await step(); // makes what lasts
  await step(); // is recorded
  const replay = async () => {
    for (let i = 0; i < REPLAYS; i++) await step();
  };
  const phases = phaseMilliseconds(await webgpuEngine.profile(replay, 'phase'));
  const profiles = await webgpuEngine.profile(replay, 'dispatch');
  const peaks = await measurePeaks(tf.backend() as unknown as PeakDevice);
  const milliseconds = (name: StepPhase) => `${name} ${phases[name].toFixed(2)} ms`;
  const all = Object.values(phases).reduce((sum, value) => sum + value, 0);
  return [
    `One step on the GPU: ${all.toFixed(2)} ms (${(Object.keys(phases) as StepPhase[]).map(milliseconds).join(', ')}).`,
    `Time of each kernel, median of ${REPLAYS} steps:`,
    ...profileTable(profileRows(profiles, peaks), peaks),
  ];
}
