import '@tensorflow/tfjs-layers';
import { availableEngines, type EngineInUse, startEngine } from '@tfjs-ssl/engine';
import { afterEach, beforeAll, beforeEach, describe } from 'vitest';
import { disposeVariables } from './variables.ts';

// Named, the GPU engine is tested on a software driver where there is no GPU.
if (process.env.ENGINES?.includes('webgpu')) process.env.TFJS_SSL_SOFTWARE_GPU ??= '1';
const known = await availableEngines();

/** Names of the engines that can run here; the environment variable `ENGINES` (comma-separated) narrows them. */
export const engines: readonly string[] = (process.env.ENGINES ?? known.map(({ name }) => name).join(','))
  .split(',')
  .map((name) => name.trim())
  .filter(Boolean);

for (const name of engines) {
  const engine = known.find((candidate) => candidate.name === name);
  if (!engine) throw new RangeError(`ENGINES names '${name}'; known are ${known.map((e) => e.name).join(', ')}`);
  if (!engine.available && process.env.ENGINES) throw new Error(`ENGINES names '${name}': ${engine.reason}`);
}
for (const { name, available, reason } of known) {
  if (!available) console.warn(`engine '${name}' is not tested: ${reason}`);
}

/**
 * Runs a suite once on every engine that is there.
 *
 * Variables that a test has left behind are disposed after it, so that one test cannot disturb the next.
 */
export function describeEngines(title: string, suite: (engine: { name: string }) => void): void {
  const there = engines.filter((name) => known.some((engine) => engine.name === name && engine.available));
  describe.each(there)(`${title} on %s`, (name) => {
    beforeAll(async () => {
      const { device } = await startEngine(name);
      if (name === 'webgpu') console.log(`${title}: webgpu on ${device}`);
    });
    // Suites of several engines in one file interleave their hooks with nested ones: the engine is set before each test.
    beforeEach(async (): Promise<void> => {
      const engine: EngineInUse = await startEngine(name);
      if (engine.name !== name) throw new Error(`asked for ${name}, got ${engine.name}`);
    });
    afterEach(disposeVariables);
    suite({ name });
  });
}
