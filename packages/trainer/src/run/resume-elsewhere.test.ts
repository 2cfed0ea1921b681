import { join } from 'node:path';
import { availableEngines, startEngine } from '@tfjs-ssl/engine';
import { engines, expectClose } from '@tfjs-ssl/testing';
import { describe, expect, it } from 'vitest';
import { stepsPerEpoch, temporaryFolder, tinyFit, tinyTrainer } from '../../test-support/tiny-run.ts';
import { adam, RunFolder, type TrainerState } from '../index.ts';

/** Trains in a folder on an engine up to an epoch. */
async function train(engine: string, path: string, epochs: number, resumes: boolean): Promise<TrainerState> {
  await startEngine(engine);
  const trainer = tinyTrainer({ optimizer: adam({ weightDecay: 1e-4 }) });
  const run = await (resumes ? RunFolder.resume(path, { seed: 1 }) : RunFolder.create(path, { seed: 1 }));
  await run.restore(trainer);
  for await (const _ of trainer.fit({ ...tinyFit, epochs, run }));
  return trainer.snapshot();
}

// Every engine that is there is a partner of those that are tested, whatever narrows these.
const there = (await availableEngines()).filter(({ available }) => available).map(({ name }) => name);
const pairs = there
  .flatMap((first) => there.map((second) => [first, second] as const))
  .filter(([first, second]) => first !== second && (engines.includes(first) || engines.includes(second)));

describe('A run goes on with another engine', () => {
  it.each(pairs)('%s, then %s', async (first, second) => {
    const unbroken = await train(second, join(await temporaryFolder(), 'run'), 5, false);
    const path = join(await temporaryFolder(), 'run');
    await train(first, path, 2, false);
    const resumed = await train(second, path, 5, true);
    expect(resumed.step).toBe(5 * stepsPerEpoch);
    expect(Object.keys(resumed.tensors)).toEqual(Object.keys(unbroken.tensors));
    for (const [name, { data }] of Object.entries(resumed.tensors)) {
      await expectClose(data as Float32Array, unbroken.tensors[name]!.data as Float32Array, { atol: 1e-5, rtol: 1e-4 });
    }
  });
});
